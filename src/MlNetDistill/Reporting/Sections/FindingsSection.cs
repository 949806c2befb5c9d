using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>What the figures say beyond the verdict.</summary>
internal static class FindingsSection
{
    public static Section Create(ReportVerdict verdict) => new("findings", "Further findings", Sentences(verdict.Findings));
}
