using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Acceptance criteria, and what was found for each.</summary>
internal static class CriteriaTable
{
    public static XElement Create(string id, string caption, IEnumerable<AcceptanceCheck> checks) => Table.Create(
        id,
        caption,
        ["Criterion", "Result", "Found"],
        checks.Select(check => (object?[])
        [
            CodeName(check.Criterion),
            Tag("td", Class(check.Passed ? "result pass" : "result fail"), check.Passed ? "✓ met" : "✗ not met"),
            Table.TextCell(Unbroken(Finding(check))),
        ]));

    // The head of the row has the criterion's name already.
    private static string Finding(AcceptanceCheck check)
    {
        var name = check.Criterion + ": ";
        return check.Reason.StartsWith(name, StringComparison.Ordinal) ? check.Reason[name.Length..] : check.Reason;
    }
}
