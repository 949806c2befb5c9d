using MlNetDistill.Methods;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>Whether a training is so short that a fresh network cannot learn in it.</summary>
internal static class StepsCheck
{
    /// <summary>What is to be said of it; null if it is long enough.</summary>
    /// <param name="stages">The stages of the training.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch of a stage.</param>
    /// <param name="batchSize">Rows of a step.</param>
    public static string? Warning(IReadOnlyList<Stage> stages, Func<Stage, int> stepsPerEpoch, int batchSize)
    {
        if (stages.Count == 0)
            return null;
        // Of the least, as the share of what is needed.
        var reached = 0.0;
        foreach (var stage in stages)
        {
            reached += Reach(stage, stepsPerEpoch(stage), (1 - reached) * stage.Optimizer.MinWeightChange) / stage.Optimizer.MinWeightChange;
            if (reached >= 1)
                return null;
        }

        var (epochs, steps) = (stages.Sum(stage => (long)stage.Epochs), stages.Sum(stage => (long)stage.Epochs * stepsPerEpoch(stage)));
        return Invariant($"The training has {steps} {(steps == 1 ? "step" : "steps")} ({epochs} {(epochs == 1 ? "epoch" : "epochs")}, BatchSize {batchSize}) at a learning rate of at most {stages.Max(stage => stage.Optimizer.LearningRate)}: ") +
            Invariant($"too few for a network that starts afresh. Give about {Math.Ceiling(epochs / Math.Max(reached, 1e-6)):0} Epochs, a smaller BatchSize or a higher Optimizer.LearningRate.");
    }

    private static double Reach(Stage stage, int stepsPerEpoch, double enough)
    {
        var (sum, steps) = (0.0, (long)stage.Epochs * stepsPerEpoch);
        for (var step = 0L; step < steps && stage.Optimizer.MaxWeightChange(sum) < enough; step++)
            sum += stage.Optimizer.LearningRate * stage.Schedule.FactorAt(step, steps, stepsPerEpoch);
        return stage.Optimizer.MaxWeightChange(sum);
    }
}
