using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The evidence of how well a student does its teacher's job: one page to read, and the same numbers for programs.</summary>
public sealed partial record DistillationReport
{
    /// <summary>What the report is about.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence or two of the user's own under the title; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>The teacher.</summary>
    public required ReportedModel Teacher { get; init; }

    /// <summary>The distilled student.</summary>
    public required ReportedModel Student { get; init; }

    /// <summary>The same student trained without a teacher; null where there is none.</summary>
    public ReportedModel? Alone { get; init; }

    /// <summary>Teacher and distilled student on the test rows.</summary>
    public required DistillationMetrics Metrics { get; init; }

    /// <summary>Teacher and the student alone on the test rows; null where there is none.</summary>
    public DistillationMetrics? AloneMetrics { get; init; }

    /// <summary>Teacher and distilled student on the training rows; null where it was not measured.</summary>
    public DistillationMetrics? TrainingMetrics { get; init; }

    /// <summary>Whether the student passes the criteria; null where there are none.</summary>
    public AcceptanceResult? Acceptance { get; init; }

    /// <summary>How many test rows are among the rows trained on; null where it is not known, as of a loaded student without the training rows.</summary>
    public TrainingOverlap? TrainingOverlap { get; init; }

    /// <summary>The rows.</summary>
    public IReadOnlyList<ReportedData> Data { get; init; } = [];

    /// <summary>Versions of what it was made with, by name.</summary>
    public IReadOnlyList<ReportedSetting> Versions { get; init; } = [];
}
