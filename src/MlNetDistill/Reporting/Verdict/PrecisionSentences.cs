using MlNetDistill.Evaluation;
using static MlNetDistill.Evaluation.Figures;

namespace MlNetDistill.Reporting;

/// <summary>What the student costs in other precisions.</summary>
internal static class PrecisionSentences
{
    public static IEnumerable<string> From(DistillationReport report) => report.Precisions.Select(stored => Describe(report, stored));

    private static string Describe(DistillationReport report, ReportedPrecision stored)
    {
        var agreement = $"predicts the class of the trained student on {WithInterval(stored.Agreement, Percent)} of the test rows";
        var accuracy = (stored.Metrics.Student, report.Metrics.Student) is ({ Accuracy.Value: var own }, { Accuracy.Value: var trained })
            ? $", and its accuracy is {Percent(own)} instead of {Percent(trained)}" : "";
        return $"In {stored.Precision}, the student {agreement}{accuracy}.{Cost(stored.Model.Cost, report.Student.Cost)}";
    }

    private static string Cost(ModelCost? stored, ModelCost? trained) => (stored, trained) is ({ } own, { } before)
        ? $" Its file has {Bytes(own.ZipBytes)} instead of {Bytes(before.ZipBytes)}, and one row takes {Microseconds(own.SingleRow.Median)} instead of {Microseconds(before.SingleRow.Median)}."
        : "";
}
