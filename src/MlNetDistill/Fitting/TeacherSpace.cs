using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>The teacher's embeddings as the student is to learn them, and how the two spaces relate.</summary>
internal sealed class TeacherSpace : IDisposable
{
    private readonly Tensor? _axes;

    private TeacherSpace(Tensor embeddings, Tensor? axes, int length, int studentLength) =>
        (Target, _axes, Length, StudentLength) = (new PrecomputedEmbeddings(embeddings, studentLength), axes, length, studentLength);

    /// <summary>What the student learns.</summary>
    public PrecomputedEmbeddings Target { get; }

    /// <summary>Length of the teacher's own embeddings.</summary>
    public int Length { get; }

    /// <summary>Length of the student's.</summary>
    public int StudentLength { get; }

    /// <summary>Whether the student's values and the teacher's, or their projections, correspond one by one.</summary>
    public bool IsAligned { get; private init; }

    /// <summary>What was decided, a sentence; null for nothing.</summary>
    public string? Note { get; private init; }

    /// <summary>Decides how embeddings of other lengths are compared.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="answers">The teacher's embeddings of all rows, which this takes over.</param>
    /// <param name="training">The rows that are trained on.</param>
    /// <exception cref="ArgumentOutOfRangeException">A projection cannot give the wanted length.</exception>
    public static TeacherSpace Create(EmbeddingOptions options, Tensor answers, Tensor training)
    {
        var length = (int)answers.shape[1];
        var wanted = options.EmbeddingLength ?? length;
        var comparesValues = options.Loss.Terms.Any(term => term.Weight > 0 && term.Loss.TeacherNeeds.HasFlag(ModelOutputs.Embedding) && term.Loss.CanUseWeights);
        var matching = options.Matching != WidthMatching.Auto ? options.Matching
            : !comparesValues || wanted == length ? (WidthMatching?)null
            : wanted < length ? WidthMatching.Pca : WidthMatching.LearntProjection;
        if (matching == WidthMatching.Pca && wanted > length)
        {
            answers.Dispose();
            throw new ArgumentOutOfRangeException(
                nameof(options), Invariant($"WidthMatching.Pca shortens the teacher's embeddings, which have {length} values, and EmbeddingLength is {wanted}. Use WidthMatching.LearntProjection, or a shorter embedding."));
        }

        if (matching != WidthMatching.Pca || wanted == length)
        {
            return new TeacherSpace(answers, null, length, wanted)
            {
                IsAligned = comparesValues && wanted == length,
                Note = comparesValues && wanted != length ? Invariant($"A linear layer from the student's {wanted} values to the teacher's {length} is trained and thrown away.") : null,
            };
        }

        using var scope = NewDisposeScope();
        var (axes, kept) = EmbeddingAxes.Find(answers, training, wanted);
        var projected = answers.mm(axes).DetachFromDisposeScope();
        answers.Dispose();
        return new TeacherSpace(projected, axes.DetachFromDisposeScope(), length, wanted)
        {
            IsAligned = comparesValues,
            Note = Invariant($"The teacher's embeddings are projected from {length} to {wanted} values, which keeps {100 * kept:0.0} % of their squared length."),
        };
    }

    /// <exception cref="InvalidOperationException">An embedding is NaN, infinite or zero; the message names the row.</exception>
    public static void CheckAnswers(Tensor answers, string teacher)
    {
        using var scope = NewDisposeScope();
        var bad = answers.isfinite().all(1).logical_not().nonzero();
        if (bad.shape[0] > 0)
        {
            throw new InvalidOperationException(Invariant(
                $"The teacher ({teacher}) gives NaN or infinity for {bad.shape[0]} rows, the first is training row {bad[0, 0].item<long>()} (counted from 0). Correct the rows or leave them out; MissingFeatures.Drop leaves out rows with NaN in a column."));
        }

        var zero = answers.norm(1, false, 2).IsAtMost(UnitRows.SmallestLength).nonzero();
        if (zero.shape[0] > 0)
        {
            throw new InvalidOperationException(Invariant(
                $"The teacher ({teacher}) gives an embedding of zeros, which has no direction, for {zero.shape[0]} rows; the first is training row {zero[0, 0].item<long>()} (counted from 0). Leave such rows out, for example by mlContext.Data.FilterByCustomPredicate."));
        }
    }

    /// <summary>The axes of the projection, one after another; null without one.</summary>
    public float[][]? AxesOf()
    {
        using var scope = NewDisposeScope();
        return _axes is null ? null : [.. Enumerable.Range(0, StudentLength).Select(i => _axes.select(1, i).cpu().contiguous().data<float>().ToArray())];
    }

    public void Dispose()
    {
        Target.Dispose();
        _axes?.Dispose();
    }
}
