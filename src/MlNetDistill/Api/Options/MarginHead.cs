using MlNetDistill.Core;
using MlNetDistill.Losses;

namespace MlNetDistill;

/// <summary>A training head over the labels of an embedding student, which is thrown away after training: ArcFace or CosFace, a classifier by angle with a margin.</summary>
public sealed record MarginHead
{
    private MarginHead(string kind, double weight, double scale, double margin) => (Kind, Weight, Scale, Margin) = (kind, weight, scale, margin);

    /// <summary>ArcFace or CosFace.</summary>
    public string Kind { get; }

    /// <summary>Its weight beside the loss of the teacher, at least 0.</summary>
    public double Weight { get; }

    /// <summary>The factor of the cosines, above 0.</summary>
    public double Scale { get; }

    /// <summary>The margin of the true class.</summary>
    public double Margin { get; }

    /// <summary>An additive angular margin; see <see cref="ArcFaceLoss"/>.</summary>
    /// <param name="weight">Its weight beside the loss of the teacher; 0.01, our choice, because at scale 64 its loss is tens of times that of <see cref="MimicLoss"/>.</param>
    /// <param name="scale">The factor of the cosines.</param>
    /// <param name="margin">The margin, in radians, from 0 to below π / 2.</param>
    public static MarginHead ArcFace(double weight = 0.01, double scale = 64, double margin = 0.5) => new("ArcFace", weight, scale, margin);

    /// <summary>An additive cosine margin; see <see cref="CosFaceLoss"/>.</summary>
    /// <param name="weight">Its weight beside the loss of the teacher.</param>
    /// <param name="scale">The factor of the cosines.</param>
    /// <param name="margin">The margin, from 0 to below 2.</param>
    public static MarginHead CosFace(double weight = 0.01, double scale = 64, double margin = 0.35) => new("CosFace", weight, scale, margin);

    /// <summary>Its kind and settings.</summary>
    public override string ToString() => FormattableString.Invariant($"{Weight} * {Kind} (scale {Scale}, margin {Margin})");

    /// <summary>What is wrong with its settings, one sentence per fault.</summary>
    internal IEnumerable<string> Validate() =>
    [
        .. Faults.AtLeast0("The weight of the Head", Weight),
        .. Faults.Above0("The scale of the Head", Scale),
        .. Faults.Unless(Margin >= 0 && Margin < MostMargin, $"The margin of the Head must be at least 0 and below {MostMargin:0.##}; was {Margin}."),
    ];

    /// <summary>Its term, for so many classes.</summary>
    internal DistillationLoss Create(int classes) => Weight * (Kind == "ArcFace" ? new ArcFaceLoss(classes, Scale, Margin) : (DistillationLoss)new CosFaceLoss(classes, Scale, Margin));

    private double MostMargin => Kind == "ArcFace" ? Math.PI / 2 : 2;
}
