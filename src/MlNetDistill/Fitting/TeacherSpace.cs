using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>The teacher's embeddings as the student is to learn them, and how the two spaces relate.</summary>
internal sealed class TeacherSpace : IDisposable
{
    // Far above the rounding of a product in 32 bits.
    private const double SmallestShare = 1e-5;
    private readonly Tensor? _axes;

    private TeacherSpace(Tensor embeddings, Tensor? axes, int length, int studentLength, EmbeddingQuery? query) =>
        (Target, _axes, Length, StudentLength) = (new TaughtEmbeddings(embeddings, studentLength, axes, query), axes, length, studentLength);

    /// <summary>What the student learns.</summary>
    public TaughtEmbeddings Target { get; }

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
    /// <param name="query">What computes other embeddings of the teacher; null if nothing can.</param>
    /// <param name="training">The rows that are trained on.</param>
    /// <param name="ids">The ids of all rows, for messages.</param>
    /// <param name="last">The last anchor of its route: one of the same length is projected like it, so that the student's space stays the same. Null for the last itself.</param>
    /// <param name="name">The teacher's name, for messages.</param>
    /// <exception cref="ArgumentOutOfRangeException">A projection cannot give the wanted length.</exception>
    /// <exception cref="InvalidOperationException">A projection leaves nothing of an embedding; the message names the row.</exception>
    public static TeacherSpace Create(EmbeddingOptions options, Tensor answers, EmbeddingQuery? query, Tensor training, RowIds ids, TeacherSpace? last, string name)
    {
        var length = (int)answers.shape[1];
        var wanted = options.EmbeddingLength ?? last?.StudentLength ?? length;
        var comparesValues = options.Loss.Terms.Any(term => term.Weight > 0 && term.Loss.TeacherNeeds.HasFlag(ModelOutputs.Embedding) && term.Loss.CanUseWeights);
        var matching = options.Matching != WidthMatching.Auto ? options.Matching
            : !comparesValues || wanted == length ? (WidthMatching?)null
            : wanted < length ? WidthMatching.Pca : WidthMatching.LearntProjection;
        if (matching == WidthMatching.Pca && wanted > length)
        {
            answers.Dispose();
            throw new ArgumentOutOfRangeException(
                nameof(options), Invariant($"WidthMatching.Pca shortens the teacher's embeddings ({name}), which have {length} values, and {(options.EmbeddingLength is null ? "the length of the last anchor's is" : "EmbeddingLength is")} {wanted}. Use WidthMatching.LearntProjection, or a shorter embedding."));
        }

        if (matching != WidthMatching.Pca || wanted == length)
        {
            return new TeacherSpace(answers, null, length, wanted, query)
            {
                IsAligned = comparesValues && wanted == length,
                Note = comparesValues && wanted != length ? Invariant($"A linear layer from the student's {wanted} values to the teacher's {length} is trained and thrown away.") : null,
            };
        }

        using var scope = NewDisposeScope();
        var shared = last is not null && last.Length == length ? last._axes : null;
        var (axes, kept) = shared is null ? EmbeddingAxes.Find(answers, training, wanted) : (shared.clone(), 0);
        var projected = answers.mm(axes).DetachFromDisposeScope();
        CheckProjected(projected, answers, ids, name);
        answers.Dispose();
        return new TeacherSpace(projected, axes.DetachFromDisposeScope(), length, wanted, query)
        {
            IsAligned = comparesValues,
            Note = shared is not null ? null : Invariant($"The teacher's embeddings are projected from {length} to {wanted} values, which keeps {100 * kept:0.0} % of their squared length."),
        };
    }

    /// <summary>Of an embedding at right angles to every axis nothing is left but rounding.</summary>
    private static void CheckProjected(Tensor projected, Tensor answers, RowIds ids, string name)
    {
        var lost = projected.norm(1, false, 2).lt(answers.norm(1, false, 2).MultiplyBy(SmallestShare)).nonzero();
        if (lost.shape[0] == 0)
            return;
        projected.Dispose();
        var row = TransferRowIds.Describe(ids[lost[0, 0].item<long>()]);
        answers.Dispose();
        throw new InvalidOperationException(Invariant(
            $"The projection of the teacher's embeddings ({name}) leaves nothing of {lost.shape[0]} of them, because they are at right angles to all directions that it keeps; the first is that of the {row}. ") +
            "Give a larger EmbeddingLength, use WidthMatching.LearntProjection, or leave such rows out.");
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
    }
}
