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
            Teacher = Quality(TeacherRight, TeacherLogLoss, TeacherBrier, TeacherCalibrationError, teacher),
            Student = Quality(StudentRight, StudentLogLoss, StudentBrier, StudentCalibrationError, student),
            Agreement = OverRows(Agree),
            AgreementWhereTeacherIsRight = replicates.Of(Share(BothRight, TeacherRight)),
            AgreementWhereTeacherIsWrong = replicates.Of(AgreementWhereTeacherIsWrong),
            Divergence = OverRows(Divergence),
            ReverseDivergence = OverRows(ReverseDivergence),
            JensenShannonDivergence = OverRows(JensenShannon),
            SquaredDifference = OverRows(SquaredDifference),
            RankCorrelation = replicates.Of(Share(RankCorrelation, Ranked)),
            TopKOverlap = [.. options.TopK.Select((k, i) => new TopKOverlap(k, replicates.Of(TopKOverlap(i))!.Value))],
            Matrix = counts.ToMatrix(),
            PerClass = perClass,
            // The sort is stable: of classes that lose alike the first comes first.
            WorstRegressions = [.. perClass.Where(c => c.AccuracyChange < 0).OrderBy(c => c.AccuracyChange).Take(options.WorstRegressions)],
            Replicates = replicates,
        };
    }

    private Estimate OverRows(Statistic statistic) => replicates.Of(Share(statistic, Rows))!.Value;

    private ModelQuality? Quality(Statistic right, Statistic logLoss, Statistic brier, Figure calibrationError, ConfidenceBins bins) =>
        replicates.Sums[Labelled, 0] == 0 ? null : new ModelQuality
        {
            Accuracy = OverLabelled(right),
            LogLoss = OverLabelled(logLoss),
            Brier = OverLabelled(brier),
            CalibrationError = replicates.Of(calibrationError)!.Value,
            MeanConfidence = bins.MeanConfidence,
            Reliability = bins.ToReliability(),
        };

    private Estimate OverLabelled(Statistic statistic) => replicates.Of(Share(statistic, Labelled))!.Value;
}
