using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Reading;
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
    // The square of a longer one, or of a difference of two, overflows.
    private const double LargestLength = 1e18;

    // Our choice of what is no difference: a mean angle of less than a degree.
    private const double SameDirection = 0.9999;
    private const int RowsAtATime = 8192;

    /// <exception cref="InvalidOperationException">
    /// An embedding is too long; or one has no direction, or is NaN or infinite, where such rows are not left out; or no row is left. The message names the row.
    /// </exception>
    public void Check(Tensor answers, string teacher)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        LeaveOut(answers.isfinite().all(1), teacher, "NaN or infinity", "Correct the rows, leave them out");
        var length = answers.norm(1, false, 2);
        CheckLongest(answers, length, teacher);
        LeaveOut(length.gt(zeros_like(length)), teacher, "an embedding of zeros, which has no direction,", "Correct the rows, leave them out");
        LeaveOut(
            length.IsAtMost(UnitRows.SmallestLength).logical_not(), teacher, "an embedding shorter than 1E-06, which has no direction in 32-bit floats,",
            "Multiply all embeddings of the teacher by one number, so that they are about 1 long");
        WarnIfConstant(answers, teacher);
    }

    private void CheckLongest(Tensor answers, Tensor length, string teacher)
    {
        var tooLong = length.IsAtMost(LargestLength).logical_not().logical_and(Used()).nonzero();
        if (tooLong.shape[0] == 0)
            return;
        var position = tooLong[0, 0].item<long>();
        throw new InvalidOperationException(Invariant(
            $"The teacher ({teacher}) gives embeddings that are too long for 32-bit floats, in which their squares overflow: for the {Name(position)} a value is {answers[position].abs().max().item<float>():G3}. ") +
            "Divide all embeddings of the teacher by one number, so that they are about 1 long.");
    }

    private void LeaveOut(Tensor usable, string teacher, string what, string remedy)
    {
        var used = Used();
        var bad = usable.logical_not().logical_and(used).nonzero();
        if (bad.shape[0] == 0)
            return;
        var found = Invariant($"The teacher ({teacher}) gives {what} for {bad.shape[0]} of {used.sum().item<long>()} rows, the first is the {Name(bad[0, 0].item<long>())}");
        if (options.MissingFeatures != MissingFeatures.Drop)
            throw new InvalidOperationException($"{found}. {remedy}, or set MissingFeatures to Drop, which leaves them out.");
        var holdsOut = split.Validation is not null;
        split.Keep(set, usable);
        if (split.Training.shape[0] == 0 || (set.Weights is not null && !set.HasWeight(split.Training)))
            throw new InvalidOperationException($"{found}, and without them no row that counts is left to train on. Check the teacher and its input.");
        if (holdsOut && !set.HasWeight(split.Validation!))
            throw new InvalidOperationException($"{found}, and without them no row that counts is left to validate on. Hold other rows out.");
        channel.Warning($"{found}. Such rows are left out.");
    }

    /// <summary>The mean cosine of all pairs is the squared length of the mean of unit vectors.</summary>
    private void WarnIfConstant(Tensor answers, string teacher)
    {
        var rows = split.Training.shape[0];
        if (rows < 2)
            return;
        var sum = zeros(answers.shape[1], float64, answers.device);
        foreach (var part in Chunks.Split(split.Training, RowsAtATime))
        {
            using var inner = NewDisposeScope();
            sum.AddInPlace(answers.index_select(0, part).to(float64).NormalizeRows().sum([0]));
        }

        var mean = sum.norm().item<double>() / rows;
        if (mean * mean > SameDirection)
        {
            channel.Warning(
                $"The teacher ({teacher}) gives all {rows} rows trained on nearly the same embedding (mean cosine {Invariant($"{mean * mean:0.000000}")}), so there is nothing to tell rows apart by. Check its input, and whether it reads the right column in the right scale.");
        }
    }

    /// <summary>N booleans: the rows that are trained on or held out. Others were left out before.</summary>
    private Tensor Used()
    {
        var positions = split.Validation is { } held ? cat([split.Training, held]) : split.Training;
        return zeros(set.Count, @bool, set.Device).scatter(0, positions, ones(positions.shape[0], @bool, set.Device));
    }

    private string Name(long position) => TransferRowIds.Describe(set.RowIds[position]);
}
