using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>A report on how well a student does its teacher's job: a page to read, and the same numbers for programs.</summary>
public sealed record DistillationReport
{
    /// <summary>Evaluates the models and collects the other content of a report. Each model takes a pass over each set of rows.</summary>
    /// <param name="mlContext">The context for the evaluation.</param>
    /// <param name="input">Models, rows and measured costs.</param>
    /// <exception cref="ArgumentException">A required value is null, or there is neither a teacher nor a column with its scores.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or a criterion, an option or a number of <see cref="ReportInput.Knowledge"/> is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The classes of the models or of <see cref="ReportInput.Knowledge"/> differ, scores are not of their kind, or a criterion needs a measurement that is missing.</exception>
    public static DistillationReport Create(MLContext mlContext, ReportInput input)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(input);
        ReportMaker.ThrowIfIncomplete(input);
        var repeated = input with
        {
            Test = RepeatedRows.CompareAllColumns(input.Test),
            Training = input.Training is { } training ? RepeatedRows.CompareAllColumns(training) : null,
        };
        return ChangedRowsException.Unwrap(() => new ReportMaker(mlContext, repeated).Create());
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

    /// <summary>The distilled student in other precisions; empty if there are none.</summary>
    public IReadOnlyList<ReportedPrecision> Precisions { get; init; } = [];

    /// <summary>Teacher and distilled student on the training rows; null if not measured.</summary>
    public DistillationMetrics? TrainingMetrics { get; init; }

    /// <summary>How KD rescales the gradient of each row; null if it was not given.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It cannot be a diagnosis: a number is out of its range, or it has other than five quantiles.</exception>
    public KnowledgeDiagnosis? Knowledge
    {
        get;
        init
        {
            Faults.ThrowIfAny(value?.Validate() ?? [], nameof(value));
            field = value;
        }
    }

    /// <summary>Whether the student passes the criteria; null where there are none.</summary>
    public AcceptanceResult? Acceptance { get; init; }

    /// <summary>How many test rows are also training rows; null if unknown, for example for a loaded student without the training rows.</summary>
    public TrainingOverlap? TrainingOverlap { get; init; }

    /// <summary>The sets of rows.</summary>
    public IReadOnlyList<ReportedData> Data { get; init; } = [];

    /// <summary>Versions of the libraries and the system, by name.</summary>
    public IReadOnlyList<ReportedSetting> Versions { get; init; } = [];

    /// <summary>
    /// The results in sentences: first whether distilling paid, if there is a student alone; then problems (criteria that are not met, test rows that are also training
    /// rows, warnings), accuracy and cost; then agreement, generalisation, calibration and the class that loses most. A difference is only claimed if the intervals show
    /// it.
    /// </summary>
    public IReadOnlyList<string> Verdict => ReportVerdict.From(this).Sentences;

    /// <summary>
    /// The distilled student's accuracy minus that of the student alone, row by row, with its interval; null if it was not computed, then the two intervals are compared
    /// instead.
    /// </summary>
    internal Estimate? AccuracyOverAlone { get; init; }

    /// <summary>The same for agreement with the teacher.</summary>
    internal Estimate? AgreementOverAlone { get; init; }

    /// <summary>
    /// Writes <c>report.html</c> and <c>report.json</c>, replacing existing files; a file is never left incomplete. The same report always gives the same bytes.
    /// </summary>
    /// <param name="folder">The folder, which is created if it does not exist.</param>
    /// <exception cref="ArgumentException">The folder's name is empty.</exception>
    /// <exception cref="IOException">The folder cannot be created, or a file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public void Write(string folder) => ReportFiles.Write(folder, "report", ToHtml, ToJson);

    /// <summary>
    /// The report as one HTML file without scripts and external resources, light or dark as the reader prefers, for screens of all sizes and for paper.
    /// </summary>
    public string ToHtml() => ReportPage.Render(this);

    /// <summary>
    /// The report's numbers as JSON. In <c>format</c> 1 these are <c>title</c>, <c>description</c>, <c>created</c>, <c>verdict</c> (sentences),
    /// <c>acceptance</c> (<c>passed</c>, <c>exitCode</c>, <c>checks</c>), <c>models</c> and <c>metrics</c>, <c>precisions</c>, <c>knowledge</c>, <c>data</c>, <c>trainingOverlap</c>,
    /// <c>versions</c>.
    /// A value that was not measured is null.
    /// </summary>
    /// <remarks>
    /// <list type="bullet">
    /// <item><c>models.teacher</c>, <c>.student</c> and <c>.alone</c> are <see cref="ReportedModel"/>s: costs in microseconds and bytes, times in <c>history</c>
    /// in seconds.</item>
    /// <item><c>metrics.test</c> (the distilled student on the test rows), <c>.training</c> (on the training rows) and <c>.alone</c> (the student alone) are
    /// <see cref="DistillationMetrics"/>: shares in [0, 1], divergences in nats, a figure with its interval as <c>{ value, lower, upper }</c>.</item>
    /// <item><c>matrix</c> holds the cells that are not empty, as <c>{ teacher, student, rows }</c>; classes are numbered from 0 in the order of
    /// <c>classes</c>. Of more than 10,000 cells it holds those with the most rows, so that their rows add up to less than <c>rows</c>.</item>
    /// <item><c>precisions</c> are <see cref="ReportedPrecision"/>s; <c>agreement</c> is that with the trained student, that with the teacher is in <c>metrics</c>.</item>
    /// <item><c>knowledge</c> is a <see cref="KnowledgeDiagnosis"/>; its <c>quantiles</c> are <c>{ share, value }</c>.</item>
    /// <item><c>overAlone</c> has the distilled student's accuracy and agreement minus those of the student alone, row by row.</item>
    /// </list>
    /// Names are in camel case, lines end with a line feed. A number that is not finite is a string: <c>"NaN"</c>, <c>"Infinity"</c>.
    /// </remarks>
    public string ToJson() => ReportJson.Serialize(this);

    /// <summary>Title, verdict and whether the student is accepted, for a console.</summary>
    public override string ToString()
    {
        var verdict = Verdict.SelectMany(sentence => TextLines.Wrap(sentence, TextLines.Width - 2).Select((line, index) => (index == 0 ? "- " : "  ") + line));
        return string.Join(Environment.NewLine, [.. TextLines.Wrap(Title, TextLines.Width), .. verdict, .. Acceptance is null ? Array.Empty<string>() : [$"{Acceptance}"]]);
    }
}
