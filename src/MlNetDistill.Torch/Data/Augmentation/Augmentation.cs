using MlNetDistill.Core;

namespace MlNetDistill.Data;

/// <summary>
/// A random change of the rows trained on, a new one in every epoch. It depends on the run's seed, the row and the epoch alone, not on the batch or the order
/// of the rows. Derive your own from <see cref="FeatureAugmentation"/>.
/// </summary>
public abstract record Augmentation
{
    private protected Augmentation() { }

    /// <summary>
    /// Shifts an image by up to <paramref name="padding"/> pixels each way and fills in zeros: the published CIFAR recipe, which pads and crops.
    /// </summary>
    /// <remarks>
    /// Zero is the raw value 0 (black for bytes), not the mean to which the network may standardize. Bytes stay bytes.
    /// </remarks>
    /// <param name="padding">Largest shift in pixels, at least 1 and smaller than the image.</param>
    public static Augmentation RandomCrop(int padding = 4) => new RandomCrop(padding);

    /// <summary>Mirrors an image left to right. Bytes stay bytes.</summary>
    /// <param name="probability">Share of the rows mirrored, in [0, 1].</param>
    public static Augmentation HorizontalFlip(double probability = 0.5) => new HorizontalFlip(probability);

    /// <summary>
    /// Mixup (Zhang et al. 2018): λ·x + (1 - λ)·x′ with another training row x′ and λ ~ Beta(alpha, alpha), labels alike. Each row has its own λ
    /// and partner. For images and vectors; bytes become floats of the same range.
    /// </summary>
    /// <remarks>
    /// The partner is a random training row (possibly the row itself), with the augmentations listed before this one applied. Example weights are mixed by the
    /// shares, and each part's label is weighted by the part's own weight; if a part has no label, its share of the label is missing.
    /// </remarks>
    /// <param name="alpha">Concentration, in [0.001, 1000]: near 0 rows are hardly mixed, with 1 all shares are equally likely, with large values the shares are close to one half. The default 0.2 is a choice of this library.</param>
    public static Augmentation Mixup(double alpha = 0.2) => new Mixup(alpha);

    /// <summary>
    /// CutMix (Yun et al. 2019): a box of another training image, of area share 1 - λ with λ ~ Beta(alpha, alpha), is pasted in the same place. The
    /// label's share is the area left after the box is clipped at the edges. Bytes stay bytes.
    /// </summary>
    /// <remarks>Partner, weights and missing labels are as in <see cref="Mixup"/>.</remarks>
    /// <param name="alpha">Concentration, in [0.001, 1000]; with 1, the paper's value, all shares are equally likely.</param>
    public static Augmentation CutMix(double alpha = 1) => new CutMix(alpha);

    /// <summary>Adds normal noise to every element. Bytes become floats.</summary>
    /// <param name="deviation">Its standard deviation, above 0, in units of the feature as the network receives it (for bytes 0..255).</param>
    public static Augmentation GaussianNoise(double deviation) => new GaussianNoise(deviation);

    /// <summary>
    /// Replaces elements of a row, each by the same element of a random training row without augmentation: every element keeps its marginal distribution, while
    /// the dependence between elements becomes weaker. Meant for vectors; the elements of an image are the values of its pixels.
    /// </summary>
    /// <param name="probability">Share of the elements replaced, in [0, 1]; the default 0.1 is a choice of this library.</param>
    public static Augmentation MarginalSwap(double probability = 0.1) => new MarginalSwap(probability);

    /// <summary>Whether rows and their labels are mixed with other rows.</summary>
    public bool MixesLabels => this is MixingAugmentation;

    /// <summary>Its kind and settings, in one line if they fit.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings, one sentence per fault.</summary>
    public virtual IEnumerable<string> Validate() => [];

    /// <summary>Why rows of this shape cannot be augmented in this way, as one sentence; null if they can.</summary>
    /// <param name="shape">Shape of one row.</param>
    public virtual string? ValidateShape(InputShape shape) => null;

    /// <summary>What is wrong with a list of augmentations, one sentence per fault.</summary>
    internal static IEnumerable<string> ValidateList(IReadOnlyList<Augmentation>? augmentations)
    {
        if (augmentations is null)
            return ["Augmentations must not be null; use an empty list for none."];
        if (augmentations.Any(a => a is null))
            return ["Augmentations must not contain null."];
        var faults = augmentations.SelectMany(a => a.Validate());
        var mixing = augmentations.Count(a => a.MixesLabels);
        return mixing > 1 ? faults.Append($"Augmentations may contain one Mixup or one CutMix, not both; it contains {mixing}.") : faults;
    }

    /// <summary>Changes rows.</summary>
    internal abstract ViewedRows Apply(ViewedRows rows, ViewStep step);

    private protected static string? NeedsImages(string name, InputShape shape) =>
        shape.IsImage ? null : $"{name} works on images only; these rows are a {shape}.";
}
