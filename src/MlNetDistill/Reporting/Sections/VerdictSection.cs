using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>What the numbers say, and whether the student may be released.</summary>
internal static class VerdictSection
{
    public static Section Of(DistillationReport report) => new(
        "verdict",
        "Verdict",
        Accepted(report.Acceptance),
        Tiles(report),
        Tag("ul", Class("sentences"), Sentences(report).Select(sentence => Tag("li", Unbroken(sentence)))),
        Checks(report.Acceptance));

    // What the stamp and the table of checks say need not be said a third time.
    private static IEnumerable<string> Sentences(DistillationReport report) =>
        report.Acceptance is { } acceptance ? report.Verdict.Skip(1 + acceptance.Checks.Count(check => !check.Passed)) : report.Verdict;

    private static XElement? Accepted(AcceptanceResult? acceptance) => acceptance is null ? null : Paragraph(
        Class(acceptance.Passed ? "stamp pass" : "stamp fail"),
        Tag("strong", acceptance.Passed ? "✓ Accepted" : "✗ Not accepted"),
        $" {acceptance.Checks.Count(check => check.Passed)} of {acceptance.Checks.Count} criteria met");

    private static XElement? Checks(AcceptanceResult? acceptance) => acceptance is null ? null : Table.Of(
        "verdict-checks",
        "Acceptance criteria, those not met first",
        ["Criterion", "Result", "Found"],
        acceptance.Checks.OrderBy(check => check.Passed).Select(check => (object?[])
        [
            CodeName(check.Criterion),
            Tag("td", Class(check.Passed ? "result pass" : "result fail"), check.Passed ? "✓ met" : "✗ not met"),
            Table.Words(Unbroken(Finding(check))),
        ]));

    // The row's head has the name already.
    private static string Finding(AcceptanceCheck check)
    {
        var name = check.Criterion + ": ";
        return check.Reason.StartsWith(name, StringComparison.Ordinal) ? check.Reason[name.Length..] : check.Reason;
    }

    private static XElement Tiles(DistillationReport report)
    {
        var (metrics, teacher, student) = (report.Metrics, report.Teacher.Cost, report.Student.Cost);
        List<XElement> tiles = [];
        if (metrics is { Teacher.Accuracy.Value: > 0 and var of, Student.Accuracy.Value: var accuracy })
            tiles.Add(Tile(Figures.Percent(accuracy / of), "of the teacher's accuracy kept"));
        tiles.Add(Tile(Figures.Percent(metrics.Agreement), "of the rows answered alike"));
        if (teacher is { SingleRow.Median: > 0 } && student is { SingleRow.Median: > 0 })
            tiles.Add(Tile($"{Figures.Ratio(teacher.SingleRow.Median / student.SingleRow.Median)}×", "the teacher's speed, row by row"));
        if (teacher is { ZipBytes: > 0 } && student is { ZipBytes: > 0 })
            tiles.Add(Tile(SizeRatio(teacher.ZipBytes, student.ZipBytes), "of the teacher's size"));
        return Tag("dl", Class("tiles"), tiles);
    }

    private static string SizeRatio(double teacher, double student) =>
        teacher > student ? $"1 ∕ {Figures.Ratio(teacher / student)}" : $"{Figures.Ratio(student / teacher)}×";

    private static XElement Tile(string figure, string meaning) => Tag("div", Tag("dt", meaning), Tag("dd", figure));

    /// <summary>A figure stays on one line with its unit.</summary>
    private static string Unbroken(string sentence) =>
        sentence.Replace(" %", "\u00A0%", StringComparison.Ordinal)
            .Replace(" µs", "\u00A0µs", StringComparison.Ordinal)
            .Replace(" points", "\u00A0points", StringComparison.Ordinal);
}
