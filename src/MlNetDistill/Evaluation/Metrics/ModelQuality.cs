using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>Quality of one model, on the rows that have a label.</summary>
public sealed record ModelQuality
{
    /// <summary>Share of the rows with a correct prediction, in [0, 1].</summary>
    public required Estimate Accuracy { get; init; }

    /// <summary>Mean −log of the label's probability, in nats.</summary>
    public required Estimate LogLoss { get; init; }

    /// <summary>Mean over rows of Σ (p − y)² over the classes, y being 1 for the label and 0 for the others, in [0, 2] (Brier 1950).</summary>
    public required Estimate Brier { get; init; }

    /// <summary>
    /// Expected calibration error, in [0, 1]: Σ over the bins of <see cref="Reliability"/> of rows/N · |accuracy − mean confidence| (Guo et al. 2017).
    /// Chance can only raise this figure, so it and its interval are too high on few rows.
    /// </summary>
    public required Estimate CalibrationError { get; init; }

    /// <summary>Mean probability of the predicted class, in [1/K, 1].</summary>
    public required double MeanConfidence { get; init; }

    /// <summary>Bins of equal width by the probability of the predicted class; the upper end of a bin belongs to it, the lower does not.</summary>
    public required IReadOnlyList<ReliabilityBin> Reliability { get; init; }

    /// <summary>A table of the figures, with their intervals if there are any.</summary>
    public override string ToString() => MetricsText.Format(this);
}

/// <summary>Rows whose predicted class has a probability in (<paramref name="Lower"/>, <paramref name="Upper"/>].</summary>
/// <param name="Lower">Lower end, not in the bin.</param>
/// <param name="Upper">Upper end, in the bin.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Accuracy">Share of them with a correct prediction; null where there are none.</param>
/// <param name="MeanConfidence">Mean probability of the predicted class; null where there are none.</param>
public sealed record ReliabilityBin(double Lower, double Upper, long Rows, double? Accuracy, double? MeanConfidence)
{
    /// <summary>The bin and its figures.</summary>
    public override string ToString() => Invariant($"{Lower:0.00} to {Upper:0.00}: {Rows:N0} rows") + (Rows == 0
        ? ""
        : $", accuracy {MetricsText.Percent(Accuracy)}, mean confidence {MetricsText.Percent(MeanConfidence)}");
}

/// <summary>Mean share of the teacher's k most probable classes that are also among the student's k most probable.</summary>
/// <param name="K">k.</param>
/// <param name="Overlap">The share, in [0, 1].</param>
public sealed record TopKOverlap(int K, Estimate Overlap)
{
    /// <summary>k and the share.</summary>
    public override string ToString() => $"top {K}: {Figures.WithInterval(Overlap, Figures.Percent)}";
}
