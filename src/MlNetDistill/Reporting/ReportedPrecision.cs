using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The student of a <see cref="DistillationReport"/> in another precision.</summary>
public sealed record ReportedPrecision
{
    /// <summary>The precision.</summary>
    public required StudentPrecision Precision { get; init; }

    /// <summary>The model, without the history and settings of the training, which are those of the student.</summary>
    public required ReportedModel Model { get; init; }

    /// <summary>The teacher and this student on the test rows.</summary>
    public required DistillationMetrics Metrics { get; init; }

    /// <summary>Share of the test rows on which it predicts the class of the trained student.</summary>
    public required Estimate Agreement { get; init; }

    /// <summary>The model, and its agreement with the trained student.</summary>
    public override string ToString() => $"{Model}{Environment.NewLine}the class of the trained student on {Figures.WithInterval(Agreement, Figures.Percent)} of the test rows";
}
