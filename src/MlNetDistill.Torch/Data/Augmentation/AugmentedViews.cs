using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// Augments rows. An augmented row depends only on (seed, row, view), not on its batch. So the teacher can process the same view as the student, and its outputs can be
/// cached.
/// </summary>
internal sealed class AugmentedViews : IDisposable
{
    private readonly IReadOnlyList<Augmentation> _augmentations;
    private readonly Tensor _training;
    private readonly int _classes;
    private readonly AugmentationDraws _draws;
    private readonly BetaTable? _shares;
    private readonly HashSet<int> _checkedAugmentations = [];

    /// <param name="augmentations">The augmentations in order; at most one of them mixes labels.</param>
    /// <param name="seed">Seed of every draw.</param>
    /// <param name="training">Positions of the rows that others are mixed with; the caller disposes it.</param>
    /// <param name="classes">Number of classes K; a mixed row has a share of each.</param>
    public AugmentedViews(IReadOnlyList<Augmentation> augmentations, int seed, Tensor training, int classes)
    {
        _augmentations = augmentations;
        _training = training;
        _classes = classes;
        _draws = new AugmentationDraws(seed, training.device);
        _shares = augmentations.OfType<MixingAugmentation>().SingleOrDefault() is { } mixing ? new BetaTable(mixing.Alpha, training.device) : null;
    }

    /// <summary>A batch of rows of <paramref name="set"/> in a view, in the current dispose scope.</summary>
    public Batch GetBatch(IRowSource set, Tensor positions, int view)
    {
        using var scope = NewDisposeScope();
        var rows = ApplyAugmentations(set, positions, view, _augmentations.Count);
        return new Batch(
            set,
            positions,
            rows.Features.MoveToOuterDisposeScope(),
            set.Labels.index_select(0, positions).MoveToOuterDisposeScope(),
            Weights(set, positions, rows.Mixture)?.MoveToOuterDisposeScope(),
            view)
        {
            SoftLabels = rows.Mixture is { } mixture ? SoftLabels(set, positions, mixture).MoveToOuterDisposeScope() : null,
        };
    }

    public void Dispose()
    {
        _draws.Dispose();
        _shares?.Dispose();
    }

    /// <summary>Rows after the first <paramref name="count"/> augmentations.</summary>
    private ViewedRows ApplyAugmentations(IRowSource set, Tensor positions, int view, int count)
    {
        var rows = new ViewedRows(set.Gather(positions, set.Device), null);
        for (var i = 0; i < count; i++)
        {
            var before = i;
            rows = _augmentations[i].Apply(rows, new ViewStep(set, positions, _training, _draws, _shares, view, i)
            {
                CheckedAugmentations = _checkedAugmentations,
                ApplyEarlier = partners => ApplyAugmentations(set, partners, view, before).Features,
            });
        }

        return rows;
    }

    private static Tensor? Weights(IRowSource set, Tensor positions, Mixture? mixture)
    {
        if (set.Weights is not { } weights)
            return null;
        var own = weights.index_select(0, positions);
        return mixture is null ? own : own.mul(mixture.Share).Add(weights.index_select(0, mixture.Partners).mul(mixture.Rest()));
    }

    private Tensor SoftLabels(IRowSource set, Tensor positions, Mixture mixture)
    {
        var shares = zeros(positions.shape[0], _classes, float32, positions.device);
        Add(positions, mixture.Share);
        Add(mixture.Partners, mixture.Rest());
        return shares;

        // A row of weight 0 must have no effect, whatever it is mixed with: each part's label is weighted by the part's own weight. Losses multiply by the
        // weight of the mixed row, which is that of both parts.
        Tensor Weighted(Tensor rows, Tensor part) => set.Weights is not { } weights
            ? part
            : part.mul(weights.index_select(0, rows)).div(Weights(set, positions, mixture)!.ClampMin(1e-12));

        void Add(Tensor rows, Tensor part)
        {
            var labels = set.Labels.index_select(0, rows);
            var labelled = labels.IsNotEqualTo(IRowSource.MissingLabel).to(float32);
            // A missing label is not an index; its share is 0, so it can be added to any class.
            shares.scatter_add_(1, labels.Clamp(0, _classes - 1).unsqueeze(1), Weighted(rows, part).mul(labelled).unsqueeze(1));
        }
    }
}

/// <summary>Rows after some of the augmentations.</summary>
/// <param name="Features">B×(shape of a row).</param>
/// <param name="Mixture">What they were mixed with, or null.</param>
internal sealed record ViewedRows(Tensor Features, Mixture? Mixture);

/// <summary>What rows were mixed with.</summary>
/// <param name="Partners">B positions.</param>
/// <param name="Share">The share that is the row's own, B 32-bit floats in [0, 1].</param>
internal sealed record Mixture(Tensor Partners, Tensor Share)
{
    /// <summary>The partner's share.</summary>
    public Tensor Rest() => ones_like(Share).sub(Share);
}

/// <summary>The application of one augmentation to the rows of a batch.</summary>
internal sealed record ViewStep(IRowSource Set, Tensor Positions, Tensor Training, AugmentationDraws Draws, BetaTable? Shares, int View, int Index)
{
    /// <summary>Other rows as the augmentations before this one show them in the same view.</summary>
    public required Func<Tensor, Tensor> ApplyEarlier { get; init; }

    /// <summary>Indices of the augmentations that have been checked for returning the same rows twice.</summary>
    public required HashSet<int> CheckedAugmentations { get; init; }

    /// <summary>Random words for the rows, B.</summary>
    public RandomWords Draw(string purpose) => Draws.ForRows(Positions, View, Purpose(purpose));

    /// <summary>Random words for each of <paramref name="length"/> elements of the rows, B×length.</summary>
    public RandomWords DrawElements(string purpose, long length) => Draws.ForElements(Positions, View, Purpose(purpose), length);

    /// <summary>Positions of training rows, a random one for each word.</summary>
    public Tensor TrainingRows(Tensor words) =>
        Training.index_select(0, Draws.ToIntegers(words, Training.shape[0]).reshape(-1)).reshape(words.shape);

    // The index distinguishes two augmentations of the same kind.
    private string Purpose(string purpose) => $"{Index} {purpose}";
}
