using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The first screen: whether the student is accepted, and charts of the models.</summary>
internal static class SummarySection
{
    public static Section Create(DistillationReport report)
    {
        var models = ComparedModel.From(report);
        // The first screen has no room for other precisions in these charts; the table has their figures.
        IReadOnlyList<ComparedModel> trained = [.. models.SkipLast(report.Precisions.Count)];
        return new(
            "summary",
            "At a glance",
            Result(report.Acceptance),
            ProblemNotice(report),
            Svg.Legend(models.Select(model => (model.Kind, (object)Name(model.Name)))),
            Tag("div", Class("figures"), Quality(trained), Tradeoffs.Create(report, models) is { Count: > 0 } tradeoffs ? tradeoffs : OutcomeCharts.Create(report.Metrics)),
            Paragraph(Class("note"), Note(report, models)))
        {
            IsFolded = false,
            HasHiddenHeading = true,
        };
    }

    private static XElement? Result(AcceptanceResult? acceptance)
    {
        if (acceptance is null)
            return null;
        var failed = acceptance.Checks.Where(check => !check.Passed).ToList();
        var met = $" {acceptance.Checks.Count - failed.Count} of {Figures.Count(acceptance.Checks.Count, "criterion", "criteria")} met";
        return failed.Count == 0
            ? Paragraph(Class("stamp pass"), Tag("strong", "✓ Accepted"), met)
            : Paragraph(
                Class("stamp fail"), Tag("strong", "✗ Not accepted"), met, "; not met: ",
                failed.Select((check, index) => new object[] { index == 0 ? "" : ", ", Tag("a", Attr("href", $"#{ProblemsSection.Id}"), CodeName(check.Criterion)) }), ".");
    }

    private static XElement? ProblemNotice(DistillationReport report)
    {
        var warnings = ComparedModel.From(report).Sum(model => model.Model.Warnings.Count);
        List<string> problems = [];
        if (ReportVerdict.Overlap(report) is not null)
            problems.Add("some test rows were used in training");
        if (warnings > 0)
            problems.Add($"training gave {Figures.Count(warnings, "warning")}");
        return problems.Count == 0 ? null : Paragraph(
            Class("stamp fail"), Tag("strong", "⚠ Problems"), $" {string.Join("; ", problems)}. ", Tag("a", Attr("href", $"#{ProblemsSection.Id}"), "Details"));
    }

    private static XElement Quality(IReadOnlyList<ComparedModel> models)
    {
        List<Interval> accuracies = [.. models.Where(m => m.Quality is not null).Select(m => new Interval(m, m.Quality!.Accuracy))];
        List<Interval> agreements = [.. models.Where(m => m.Fidelity is not null).Select(m => new Interval(m, m.Fidelity!.Agreement))];
        return Tag(
            "div",
            accuracies.Count == 0 ? null : IntervalChart.Draw("summary-accuracy", "Accuracy", "share of rows with a correct prediction", accuracies),
            IntervalChart.Draw("summary-agreement", "Agreement with the teacher", "share of rows with the teacher's prediction", agreements));
    }

    private static string Note(DistillationReport report, IReadOnlyList<ComparedModel> models)
    {
        var level = report.Metrics.Replicates is { } replicates ? FormattableString.Invariant($"{100 * replicates.ConfidenceLevel:0.#} % ") : "";
        var intervals = report.Metrics.Agreement.Lower is null ? "" : $"Lines through marks are {level}confidence intervals over the test rows. ";
        var costs = models.Count(model => model.Model.Cost is not null);
        var missing = costs == models.Count ? "" : costs == 0
            ? "Time and size were not measured. "
            : $"Time and size were measured for {string.Join(" and ", models.Where(model => model.Model.Cost is not null).Select(model => model.Name))} only. ";
        return $"{intervals}{missing}The numbers are under “{ComparisonSection.Title}”.";
    }
}
