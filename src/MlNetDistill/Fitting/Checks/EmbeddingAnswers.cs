using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Checks the embeddings that a teacher gives for the rows of a fit.</summary>
/// <param name="set">The rows.</param>
/// <param name="split">Which of them are trained on; rows without a usable embedding are left out of it.</param>
/// <param name="options">What to do with such rows.</param>
/// <param name="channel">Receives a warning about them.</param>
internal sealed class EmbeddingAnswers(IRowSource set, DataSplit split, EmbeddingOptions options, WarningChannel channel)
{
    /// <exception cref="InvalidOperationException">An embedding is zero, or NaN or infinite where such rows are not left out; or no row is left. The message names the row.</exception>
    public void Check(Tensor answers, string teacher)
    {
        using var scope = NewDisposeScope();
        LeaveOut(answers.isfinite().all(1), teacher);
        var zero = answers.norm(1, false, 2).IsAtMost(UnitRows.SmallestLength).nonzero();
        if (zero.shape[0] > 0)
        {
            throw new InvalidOperationException(Invariant(
                $"The teacher ({teacher}) gives an embedding of zeros, which has no direction, for {zero.shape[0]} rows; the first is the row with id {IdOf(zero)}. Leave such rows out, for example by mlContext.Data.FilterByCustomPredicate."));
        }
    }

    private void LeaveOut(Tensor usable, string teacher)
    {
        var bad = usable.logical_not().nonzero();
        if (bad.shape[0] == 0)
            return;
        var found = Invariant($"The teacher ({teacher}) gives NaN or infinity for {bad.shape[0]} of {set.Count} rows, the first is the row with id {IdOf(bad)}");
        if (options.MissingFeatures != MissingFeatures.Drop)
            throw new InvalidOperationException($"{found}. Correct the rows, leave them out, or set MissingFeatures to Drop, which leaves them out.");
        var holdsOut = split.Validation is not null;
        split.Keep(set, usable);
        if (split.Training.shape[0] == 0 || (set.Weights is not null && !set.HasWeight(split.Training)))
            throw new InvalidOperationException($"{found}, and without them no row that counts is left to train on. Check the teacher and its input.");
        if (holdsOut && !set.HasWeight(split.Validation!))
            throw new InvalidOperationException($"{found}, and without them no row that counts is left to validate on. Hold other rows out.");
        channel.Warning($"{found}. Such rows are left out.");
    }

    private RowId IdOf(Tensor rows) => set.RowIds[rows[0, 0].item<long>()];
}
