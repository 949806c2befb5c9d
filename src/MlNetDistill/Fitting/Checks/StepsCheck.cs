using MlNetDistill.Methods;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>Warns of a training that is too short for a network with random weights.</summary>
internal static class StepsCheck
{
    /// <summary>The warning; null if the training is long enough.</summary>
    public static string? Warning(IReadOnlyList<Stage> stages, Func<Stage, int> stepsPerEpoch, int batchSize)
    {
        if (stages.Count == 0)
            return null;
        // The share of the needed distance from the initial weights that the stages so far can cover.
        var reached = 0.0;
        foreach (var stage in stages)
        {
            reached += Reach(stage, stepsPerEpoch(stage), (1 - reached) * stage.Optimizer.MinWeightChange) / stage.Optimizer.MinWeightChange;
            if (reached >= 1)
                return null;
        }

        var (epochs, steps) = (stages.Sum(stage => (long)stage.Epochs), stages.Sum(stage => (long)stage.Epochs * stepsPerEpoch(stage)));
        return Invariant($"The training has {steps} {(steps == 1 ? "step" : "steps")} ({epochs} {(epochs == 1 ? "epoch" : "epochs")}, BatchSize {batchSize}) at a learning rate of at most {stages.Max(stage => stage.Optimizer.LearningRate)}: ") +
            Invariant($"too few for a network with random weights. Give about {Math.Ceiling(epochs / Math.Max(reached, 1e-6)):0} Epochs, a smaller BatchSize or a higher Optimizer.LearningRate.");
    }

    private static double Reach(Stage stage, int stepsPerEpoch, double enough)
    {
        var (sum, steps) = (0.0, (long)stage.Epochs * stepsPerEpoch);
        for (var step = 0L; step < steps && stage.Optimizer.MaxWeightChange(sum) < enough; step++)
            sum += stage.Optimizer.LearningRate * stage.Schedule.FactorAt(step, steps, stepsPerEpoch);
        return stage.Optimizer.MaxWeightChange(sum);
    }
}
