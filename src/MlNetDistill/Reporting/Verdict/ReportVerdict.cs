using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Reporting;

/// <summary>The results of a report in sentences. A difference is only claimed if the intervals show it.</summary>
/// <param name="Problems">Reasons against using the student as it is; empty if there are none.</param>
/// <param name="Summary">Three sentences: whether distilling paid, if there is a student alone; accuracy; cost.</param>
/// <param name="Findings">Further findings, first what other precisions of the student cost.</param>
internal sealed record ReportVerdict(IReadOnlyList<string> Problems, IReadOnlyList<string> Summary, IReadOnlyList<string> Findings)
{
    public const double ReportedOverlap = 0.01;

    /// <summary>Whether there is a student alone to compare with; then the first sentence of the summary answers whether distilling paid.</summary>
    private bool HasPayoff { get; init; }

    /// <summary>All sentences: first whether distilling paid, if there is a student alone, then problems.</summary>
    public IReadOnlyList<string> Sentences => HasPayoff ? [Summary[0], .. Problems, .. Summary.Skip(1), .. Findings] : [.. Problems, .. Summary, .. Findings];

    public static ReportVerdict From(DistillationReport report) => new(
        [
            .. Acceptance(report.Acceptance),
            .. Overlap(report) is { } overlap ? [overlap] : Array.Empty<string>(),
            .. Warnings(report.Student.Warnings.Count),
        ],
        report.AloneMetrics is { } alone
            ? [SummarySentences.Payoff(report, alone), SummarySentences.Accuracy(report.Metrics), SummarySentences.Cost(report.Teacher.Cost, report.Student.Cost)]
            : [SummarySentences.Accuracy(report.Metrics), SummarySentences.NoPayoff, SummarySentences.Cost(report.Teacher.Cost, report.Student.Cost)],
        [.. PrecisionSentences.From(report), .. FindingSentences.From(report)])
    {
        HasPayoff = report.AloneMetrics is not null,
    };

    /// <summary>The problem that test rows are training rows; null if duplicates explain it, or a criterion that is not met already reports it.</summary>
    public static string? Overlap(DistillationReport report) => report.TrainingOverlap is { Excess: > ReportedOverlap } overlap
        && report.Acceptance?.Checks.Any(check => check is { Passed: false, Criterion: nameof(AcceptanceCriteria.MaximumTrainingOverlap) }) != true
        ? $"{overlap} A model may remember rows that it was trained on, so every figure here may be better than on new rows. Test on rows that no model was trained on."
        : null;

    /// <summary>Whether two intervals do not overlap; null if one is missing.</summary>
    public static bool? AreSeparate(Estimate one, Estimate other) =>
        (one, other) is ({ Lower: { } low, Upper: { } high }, { Lower: { } otherLow, Upper: { } otherHigh })
        ? low > otherHigh || otherLow > high
        : null;

    private static IEnumerable<string> Acceptance(AcceptanceResult? acceptance)
    {
        if (acceptance is null)
            yield break;
        var failed = acceptance.Checks.Where(check => !check.Passed).ToList();
        yield return failed.Count == 0
            ? $"Accepted: {(acceptance.Checks.Count == 1 ? "the criterion is" : $"all {acceptance.Checks.Count} criteria are")} met."
            : $"Not accepted: {failed.Count} of {Count(acceptance.Checks.Count, "criterion", "criteria")} {(failed.Count == 1 ? "is" : "are")} not met.";
        foreach (var check in failed)
            yield return check.Reason;
    }

    private static IEnumerable<string> Warnings(int count)
    {
        if (count > 0)
            yield return $"Training the student gave {Count(count, "warning")}: see “Problems”.";
    }
}
