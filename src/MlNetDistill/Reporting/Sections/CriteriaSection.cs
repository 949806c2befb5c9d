using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The acceptance criteria that are met; those that are not met are problems.</summary>
internal static class CriteriaSection
{
    public static Section? Create(AcceptanceResult? acceptance)
    {
        List<AcceptanceCheck> met = [.. acceptance?.Checks.Where(check => check.Passed) ?? []];
        return met.Count == 0 ? null : new("criteria", "Acceptance criteria that are met", CriteriaTable.Create("criteria-table", "Criteria and what was found", met));
    }
}
