using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>A report on how well a student's embeddings do the job of its teacher's: search, verification, size and time. A page to read, and the same numbers for programs.</summary>
public sealed record EmbeddingReport
{
    /// <summary>Evaluates the models and collects the other content of a report. Every row is compared with every other, on all processors.</summary>
    /// <param name="mlContext">The context for the evaluation.</param>
    /// <param name="input">Models, rows and measured costs.</param>
    /// <exception cref="ArgumentException">A required value is null, or there is neither a teacher nor a column with its embeddings.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or an option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">An embedding is NaN or infinite, or no row has another one of its identity.</exception>
    public static EmbeddingReport Create(MLContext mlContext, EmbeddingReportInput input)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(input);
        input.Check();
        return ChangedRowsException.Unwrap(() => new EmbeddingReportMaker(mlContext, input with { Test = RepeatedRows.CompareAllColumns(input.Test) }).Create());
    }

    /// <summary>Title of the report.</summary>
    public required string Title { get; init; }

    /// <summary>Your description under the title; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Time of creation.</summary>
    public DateTimeOffset Created { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>The teacher.</summary>
    public required ReportedModel Teacher { get; init; }

    /// <summary>The student.</summary>
    public required ReportedModel Student { get; init; }

    /// <summary>The search by both models' embeddings, and the nearest rows that they share.</summary>
    public required RetrievalMetrics Retrieval { get; init; }

    /// <summary>The verification by the student's embeddings; null if it was left out.</summary>
    public VerificationMetrics? StudentVerification { get; init; }

    /// <summary>The verification by the teacher's embeddings; null if it was left out.</summary>
    public VerificationMetrics? TeacherVerification { get; init; }

    /// <summary>How many test rows are also training rows of the student, by its features; null if unknown, as for a student that was loaded.</summary>
    public TrainingOverlap? TrainingOverlap { get; init; }

    /// <summary>Share of the test rows that have the same values as a row of the gallery, and so find themselves, in [0, 1]; null without a gallery.</summary>
    public double? GalleryOverlap { get; init; }

    /// <summary>The sets of rows.</summary>
    public IReadOnlyList<ReportedData> Data { get; init; } = [];

    /// <summary>Versions of the libraries and the system, by name.</summary>
    public IReadOnlyList<ReportedSetting> Versions { get; init; } = [];

    /// <summary>The results in sentences: what the student finds of what its teacher finds, their nearest rows, verification, size and time.</summary>
    public IReadOnlyList<string> Verdict => EmbeddingVerdict.Create(this);

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
    public string ToHtml() => EmbeddingPage.Render(this);

    /// <summary>
    /// The report's numbers as JSON. In <c>format</c> 1 these are <c>title</c>, <c>description</c>, <c>created</c>, <c>verdict</c> (sentences), <c>models</c> (<c>teacher</c>
    /// and <c>student</c>: <see cref="ReportedModel"/>s, costs in microseconds and bytes), <c>retrieval</c> (<see cref="RetrievalMetrics"/>), <c>verification</c>
    /// (<c>teacher</c> and <c>student</c>: <see cref="VerificationMetrics"/>), <c>data</c>, <c>trainingOverlap</c>, <c>galleryOverlap</c> and <c>versions</c>. A value that was not measured is null.
    /// </summary>
    public string ToJson() => ReportJson.Serialize(new
    {
        Format = 1,
        Title,
        Description,
        Created,
        Verdict,
        Models = new { Teacher, Student },
        Retrieval,
        Verification = new { Teacher = TeacherVerification, Student = StudentVerification },
        Data,
        TrainingOverlap,
        GalleryOverlap,
        Versions,
    });

    /// <summary>Title and verdict, for a console.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine,
        TextLines.Wrap(Title, TextLines.Width).Concat(Verdict.SelectMany(sentence => TextLines.Wrap(sentence, TextLines.Width - 2).Select((line, index) => (index == 0 ? "- " : "  ") + line))));
}
