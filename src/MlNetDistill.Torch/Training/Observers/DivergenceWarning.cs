using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>Warns of a training loss far above that of a student that has learnt nothing.</summary>
internal sealed class DivergenceWarning(Action<string> warn) : ITrainingObserver
{
    // An epoch's mean loss that is so many times that of a student that has learnt nothing.
    private const double Diverging = 2;

    public void EpochEnds(EpochResult epoch)
    {
        var (run, state) = (epoch.Run, epoch.Run.State);
        var untrained = run.Losses.EstimateUntrained(run.Student.LogitCount);
        if (state.Warned || !(untrained > 0 && run.Losses.Total > Diverging * untrained))
            return;
        state.Warned = true;
        warn(
            Invariant($"Stage '{state.Name}', epoch {state.Epoch}: the training loss is {run.Losses.Total:G4}, {run.Losses.Total / untrained:G3} times the {untrained:G4} of a student that has ") +
            Invariant($"learnt nothing: training diverges at a learning rate of {epoch.Progress.LearningRate:G3}. Lower Optimizer.LearningRate ({run.Stage.Optimizer.LearningRate:G6}; a tenth is a usual next try), ") +
            "set GradientClipping (1 is a usual value), or give the schedule a warm-up.");
    }
}
