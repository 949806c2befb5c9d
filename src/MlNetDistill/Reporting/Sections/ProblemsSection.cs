using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Reasons against using the student as it is. Never folded, so that nobody misses them.</summary>
internal static class ProblemsSection
{
    public const string Id = "problems";

    public static Section? Create(DistillationReport report)
    {
        List<AcceptanceCheck> failed = [.. report.Acceptance?.Checks.Where(check => !check.Passed) ?? []];
        object?[] content =
        [
            failed.Count == 0 ? null : CriteriaSection.CreateTable("problems-criteria", "Acceptance criteria that are not met", failed),
            ReportVerdict.Overlap(report) is { } overlap ? Paragraph(Unbroken(overlap)) : null,
            .. ComparedModel.From(report).Where(model => model.Model.Warnings.Count > 0).Select(Warnings),
        ];
        return content.All(part => part is null) ? null : new(Id, "Problems", content) { IsFolded = false };
    }

    private static XElement[] Warnings(ComparedModel model) =>
    [
        Tag("h3", "Warnings from training: ", Name(model.Name)),
        Tag("ul", Class("sentences"), model.Model.Warnings.Select(warning => Tag("li", Name(warning)))),
    ];
}
