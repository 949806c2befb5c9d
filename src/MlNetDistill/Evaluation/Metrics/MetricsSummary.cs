using static MlNetDistill.Evaluation.Replicates;
using static MlNetDistill.Evaluation.Statistic;

namespace MlNetDistill.Evaluation;

/// <summary>Divides what was summed and counted, once.</summary>
internal sealed class MetricsSummary(
    DistillationEvaluationOptions options,
    IReadOnlyList<string> classes,
    Replicates replicates,
    ClassCounts counts,
    ConfidenceBins teacher,
    ConfidenceBins student)
{
    public DistillationMetrics Metrics()
    {
        var perClass = counts.PerClass();
        return new DistillationMetrics
        {
            Rows = (long)replicates.Sums[Rows, 0],
            LabelledRows = (long)replicates.Sums[Labelled, 0],
            Classes = classes,
            Teacher = Quality(TeacherCorrect, TeacherLogLoss, TeacherBrier, TeacherCalibrationError, teacher),
            Student = Quality(StudentCorrect, StudentLogLoss, StudentBrier, StudentCalibrationError, student),
            Agreement = OfShare(Agree, Rows)!.Value,
            AgreementWhereTeacherIsCorrect = OfShare(BothRight, TeacherCorrect),
            AgreementWhereTeacherIsWrong = replicates.OfShare(AgreementWhereTeacherIsWrong, replicates.Sums[Labelled, 0] - replicates.Sums[TeacherCorrect, 0]),
            Divergence = OverRows(Divergence),
            ReverseDivergence = OverRows(ReverseDivergence),
            JensenShannonDivergence = OverRows(JensenShannon),
            SquaredDifference = OverRows(SquaredDifference),
            RankCorrelation = replicates.Of(Share(RankCorrelation, Ranked)),
            TopKOverlap = [.. options.TopK.Select((k, i) => new TopKOverlap(k, replicates.OfShare(TopKOverlap(i), replicates.Sums[Rows, 0])!.Value))],
            Matrix = counts.ToMatrix(),
            PerClass = perClass,
            // The sort is stable: of classes that lose alike the first comes first.
            WorstRegressions = [.. perClass.Where(c => c.AccuracyChange < 0).OrderBy(c => c.AccuracyChange).Take(options.WorstRegressions)],
            Replicates = replicates,
        };
    }

    private Estimate? OfShare(Statistic part, Statistic whole) => replicates.OfShare(Share(part, whole), replicates.Sums[whole, 0]);

    private Estimate OverRows(Statistic statistic) => replicates.Of(Share(statistic, Rows))!.Value;

    private ModelQuality? Quality(Statistic right, Statistic logLoss, Statistic brier, Figure calibrationError, ConfidenceBins bins) =>
        replicates.Sums[Labelled, 0] == 0 ? null : new ModelQuality
        {
            Accuracy = OfShare(right, Labelled)!.Value,
            LogLoss = OverLabelled(logLoss),
            Brier = OverLabelled(brier),
            CalibrationError = replicates.Of(calibrationError)!.Value,
            MeanConfidence = bins.MeanConfidence,
            Reliability = bins.ToReliability(),
        };

    private Estimate OverLabelled(Statistic statistic) => replicates.Of(Share(statistic, Labelled))!.Value;
}
