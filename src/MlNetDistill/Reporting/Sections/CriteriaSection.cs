using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The acceptance criteria that are met; those that are not met are in <see cref="ProblemsSection"/>.</summary>
internal static class CriteriaSection
{
    public static Section? Create(AcceptanceResult? acceptance)
    {
        List<AcceptanceCheck> met = [.. acceptance?.Checks.Where(check => check.Passed) ?? []];
        return met.Count == 0 ? null : new("criteria", "Acceptance criteria that are met", CreateTable("criteria-table", "Criteria and what was found", met));
    }

    public static XElement CreateTable(string id, string caption, IEnumerable<AcceptanceCheck> checks) => Table.Create(
        id,
        caption,
        ["Criterion", "Result", "Found"],
        checks.Select(check => (object?[])
        [
            CodeName(check.Criterion),
            Tag("td", Class(check.Passed ? "result pass" : "result fail"), check.Passed ? "✓ met" : "✗ not met"),
            // The criterion's name is already in the first cell.
            Table.TextCell(Unbroken(check.Reason.Replace($"{check.Criterion}: ", "", StringComparison.Ordinal))),
        ]));

}
