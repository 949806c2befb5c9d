using System.Text;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

public sealed partial record DistillationReport
{
    /// <summary>
    /// What the numbers say, in sentences: problems first (criteria that are not met, test rows known from training, warnings), then accuracy, what distillation
    /// added, and cost, then agreement, generalisation, calibration and the class that loses most. Where intervals show no difference, none is claimed.
    /// </summary>
    public IReadOnlyList<string> Verdict => ReportVerdict.From(this).Sentences;

    /// <summary>
    /// The distilled student's accuracy less the student's alone, row by row, with its interval; null where it was not computed, and the two intervals are
    /// looked at instead.
    /// </summary>
    internal Estimate? AccuracyOverAlone { get; init; }

    /// <summary>The same of the agreement with the teacher.</summary>
    internal Estimate? AgreementOverAlone { get; init; }

    /// <summary>
    /// Writes <c>report.html</c> and <c>report.json</c>; each is whole or not there, and takes the place of one from before. A given report gives the same
    /// bytes every time.
    /// </summary>
    /// <param name="folder">Where to; made if it is not there.</param>
    /// <exception cref="ArgumentException">The folder's name is empty.</exception>
    /// <exception cref="IOException">The folder cannot be made, or a file not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public void Write(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Directory.CreateDirectory(folder);
        Write(Path.Combine(folder, "report.html"), ToHtml());
        Write(Path.Combine(folder, "report.json"), ToJson());
    }

    /// <summary>
    /// The report as one HTML file: no scripts, nothing loaded from elsewhere, light or dark as its reader prefers, for screens from phones up and for paper.
    /// </summary>
    public string ToHtml() => ReportPage.Render(this);

    /// <summary>
    /// The report's numbers as JSON, which <c>format</c> 1 describes: <c>title</c>, <c>description</c>, <c>created</c>, <c>verdict</c> (sentences),
    /// <c>acceptance</c> (<c>passed</c>, <c>exitCode</c>, <c>checks</c>), <c>models</c> and <c>metrics</c>, <c>data</c>, <c>trainingOverlap</c>,
    /// <c>versions</c>.
    /// What was not measured is null.
    /// </summary>
    /// <remarks>
    /// <list type="bullet">
    /// <item><c>models.teacher</c>, <c>.student</c> and <c>.alone</c> are <see cref="ReportedModel"/>s: costs in microseconds and bytes, in <c>history</c> all
    /// times in seconds.</item>
    /// <item><c>metrics.test</c> (the distilled student on the test rows), <c>.training</c> (on the training rows) and <c>.alone</c> (the student alone) are
    /// <see cref="DistillationMetrics"/>: shares in [0, 1], divergences in nats, a figure with its interval as <c>{ value, lower, upper }</c>.</item>
    /// <item><c>matrix</c> holds the cells that are not empty, as <c>{ teacher, student, rows }</c>; classes are numbered from 0 in the order of
    /// <c>classes</c>.</item>
    /// <item><c>overAlone</c> is the distilled student's accuracy and agreement less the student's alone, row by row.</item>
    /// </list>
    /// Names are in camel case, lines end with a line feed. A number that is not finite is a text: <c>"NaN"</c>, <c>"Infinity"</c>.
    /// </remarks>
    public string ToJson() => ReportJson.Serialize(this);

    /// <summary>Title, verdict and whether the student is accepted, for a console.</summary>
    public override string ToString()
    {
        var verdict = Verdict.SelectMany(sentence => TextLines.Wrap(sentence, TextLines.Width - 2).Select((line, at) => (at == 0 ? "- " : "  ") + line));
        return string.Join(Environment.NewLine, [.. TextLines.Wrap(Title, TextLines.Width), .. verdict, .. Acceptance is null ? Array.Empty<string>() : [$"{Acceptance}"]]);
    }

    private static void Write(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
