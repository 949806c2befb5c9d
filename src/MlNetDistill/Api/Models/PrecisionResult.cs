using MlNetDistill.Evaluation;

namespace MlNetDistill;

/// <summary>What it costs to store a student in another precision: the trained student, in 32-bit floats, and the stored one on the same rows.</summary>
public sealed record PrecisionResult
{
    /// <summary>The precision.</summary>
    public required StudentPrecision Precision { get; init; }

    /// <summary>All metrics: the trained student in the place of the teacher, the stored one in that of the student.</summary>
    public required DistillationMetrics Metrics { get; init; }

    /// <summary>Share of the rows, in [0, 1], on which both predict the same class.</summary>
    public double Agreement => Metrics.Agreement.Value;

    /// <summary>Accuracy of the stored student, in [0, 1]; null if the rows have no labels.</summary>
    public double? Accuracy => Metrics.Student?.Accuracy.Value;

    /// <summary>Accuracy of the trained student; null if the rows have no labels.</summary>
    public double? TrainedAccuracy => Metrics.Teacher?.Accuracy.Value;

    /// <summary>The largest difference of a probability.</summary>
    public required double LargestDifference { get; init; }

    /// <summary>Bytes of the saved student, without the rest of its pipeline.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes of the saved student as trained.</summary>
    public required long TrainedBytes { get; init; }

    /// <summary>Size, accuracy, agreement and the largest difference, as a sentence.</summary>
    public override string ToString() =>
        $"{Precision}: {Figures.Bytes(Bytes)} instead of {Figures.Bytes(TrainedBytes)}; "
        + (Accuracy is { } accuracy && TrainedAccuracy is { } trained ? $"accuracy {Figures.Percent(accuracy)} instead of {Figures.Percent(trained)}; " : "")
        + $"the same class on {Figures.Percent(Agreement)} of {Figures.Count(Metrics.Rows, "row")}; probabilities differ by up to {Figures.Compact(LargestDifference)}.";
}
