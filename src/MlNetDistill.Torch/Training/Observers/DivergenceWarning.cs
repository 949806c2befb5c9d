using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>Warns if the training loss is far above that of an untrained student.</summary>
internal sealed class DivergenceWarning(Action<string> warn) : ITrainingObserver
{
    // The factor between the mean loss of an epoch and that of an untrained student.
    private const double Diverging = 2;

    public void EpochEnds(EpochResult epoch)
    {
        var (run, state) = (epoch.Run, epoch.Run.State);
        var untrained = run.Losses.EstimateUntrained(run.Student.LogitCount);
        if (state.Warned || !(untrained > 0 && run.Losses.Total > Diverging * untrained))
            return;
        state.Warned = true;
        warn(
            Invariant($"Stage '{state.Name}', epoch {state.Epoch}: the training loss is {run.Losses.Total:G4}, {run.Losses.Total / untrained:G3} times the {untrained:G4} of an untrained student: ") +
            Invariant($"training diverges at a learning rate of {epoch.Progress.LearningRate:G3}. Lower Optimizer.LearningRate ({run.Stage.Optimizer.LearningRate:G6}; a tenth is a usual next try), ") +
            "set GradientClipping (1 is a usual value), or give the schedule a warm-up.");
    }
}
