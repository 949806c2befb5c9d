using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Three sentences for a reader who reads no more.</summary>
internal static class VerdictSection
{
    public static Section Create(ReportVerdict verdict) =>
        new("verdict", "Verdict", Sentences(verdict.Summary)) { IsFolded = false };
}
