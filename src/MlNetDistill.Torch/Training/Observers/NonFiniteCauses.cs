using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Finds likely causes of a loss that is NaN or infinite, other than the learning rate.</summary>
internal static class NonFiniteCauses
{
    // Only the ratio of weights to each other matters, so larger ones are never needed; features above this need normalisation.
    private const double LargestWeight = 1e6;
    private const double LargestFeature = 1e6;

    /// <summary>Creates the exception for loss terms that are NaN or infinite.</summary>
    public static NonFiniteLossException CreateException(IReadOnlyList<string> terms, StageRun run, NonFinitePlace? place = null) =>
        new(terms, run.Stage.Name, run.State.Epoch, run.LearningRate, [.. Before(run.State), .. Find(run.Stage, run.Set)], place);

    private static IEnumerable<string> Before(StageState state)
    {
        if (state.SkippedBatches > 0)
            yield return Invariant($"Before, {(state.SkippedBatches == 1 ? "1 batch of the stage was" : $"{state.SkippedBatches} batches of the stage were")} skipped for this reason.");
        if (state.TimesGoneBack > 0)
            yield return Invariant($"Before, the stage went back {NumberText.Count(state.TimesGoneBack, "time")} for this reason.");
    }

    private static IEnumerable<string> Find(Stage stage, IRowSource set)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (set.Weights is { } weights && Largest(weights) is var heaviest and > LargestWeight)
            yield return Invariant($"Example weights reach {heaviest:G3}: divide all of them by that, so that they are about 1.");
        foreach (var term in stage.Loss.Terms.Where(t => t.Weight > LargestWeight))
            yield return Invariant($"The loss term '{term.Loss.Name}' has the weight {term.Weight:G3}: weights of about 1 are usual.");
        if (stage.Optimizer is { WeightDecay: > 1 } optimizer && optimizer.LearningRate * optimizer.WeightDecay is var taken and >= 1)
            yield return Invariant($"The optimizer's WeightDecay {optimizer.WeightDecay:G3} times its LearningRate {optimizer.LearningRate:G3} is {taken:G3}, so that weights grow from step to step: keep it far below 1.");
        if (!set.IsByte && (double)set.LargestFeature() is var feature and > LargestFeature)
            yield return Invariant($"Features reach {feature:G3}: normalise them.");
    }

    private static double Largest(Tensor values) => values.numel() == 0 ? 0 : values.abs().max().item<float>();
}
