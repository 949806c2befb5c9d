using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>A report on how well a student does its teacher's job: a page to read, and the same numbers for programs.</summary>
public sealed partial record DistillationReport
{
    /// <summary>Evaluates the models and collects the other content of a report. Each model takes a pass over each set of rows.</summary>
    /// <param name="mlContext">The context for the evaluation.</param>
    /// <param name="input">Models, rows and measured costs.</param>
    /// <exception cref="ArgumentException">A required value is null, or there is neither a teacher nor a column with its scores.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or a criterion or option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The models' classes differ, scores are not of their kind, or a criterion needs a measurement that is missing.</exception>
    public static DistillationReport Create(MLContext mlContext, ReportInput input)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(input);
        ReportMaker.ThrowIfIncomplete(input);
        var repeated = input with
        {
            Test = RepeatedRows.Of(input.Test),
            Training = input.Training is { } training ? RepeatedRows.Of(training) : null,
        };
        return ChangedRowsException.Unwrapped(() => new ReportMaker(mlContext, repeated).Create());
    }

    /// <summary>Title of the report.</summary>
    public required string Title { get; init; }

    /// <summary>Your description under the title; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Time of creation.</summary>
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

    /// <summary>Teacher and distilled student on the training rows; null if not measured.</summary>
    public DistillationMetrics? TrainingMetrics { get; init; }

    /// <summary>Whether the student passes the criteria; null where there are none.</summary>
    public AcceptanceResult? Acceptance { get; init; }

    /// <summary>How many test rows are also training rows; null if unknown, for example for a loaded student without the training rows.</summary>
    public TrainingOverlap? TrainingOverlap { get; init; }

    /// <summary>The sets of rows.</summary>
    public IReadOnlyList<ReportedData> Data { get; init; } = [];

    /// <summary>Versions of the libraries and the system, by name.</summary>
    public IReadOnlyList<ReportedSetting> Versions { get; init; } = [];
}
