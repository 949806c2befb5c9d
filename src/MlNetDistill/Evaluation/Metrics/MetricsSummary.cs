using static MlNetDistill.Evaluation.Replicates;
using static MlNetDistill.Evaluation.Statistic;

namespace MlNetDistill.Evaluation;

/// <summary>Computes metrics from sums and counts; each sum is divided once.</summary>
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
            Agreement = EstimateShare(Agree, Rows)!.Value,
            AgreementWhereTeacherIsCorrect = EstimateShare(BothRight, TeacherCorrect),
            AgreementWhereTeacherIsWrong = replicates.EstimateShare(AgreementWhereTeacherIsWrong, replicates.Sums[Labelled, 0] - replicates.Sums[TeacherCorrect, 0]),
            Divergence = MeanOverRows(Divergence),
            ReverseDivergence = MeanOverRows(ReverseDivergence),
            JensenShannonDivergence = MeanOverRows(JensenShannon),
            SquaredDifference = MeanOverRows(SquaredDifference),
            RankCorrelation = replicates.EstimateFigure(Share(RankCorrelation, Ranked)),
            TopKOverlap = [.. options.TopK.Select((k, i) => new TopKOverlap(k, replicates.EstimateShare(TopKOverlap(i), replicates.Sums[Rows, 0])!.Value))],
            Matrix = counts.ToMatrix(),
            PerClass = perClass,
            // The sort is stable: classes with the same loss are in the order of the classes.
            WorstRegressions = [.. perClass.Where(c => c.AccuracyChange < 0).OrderBy(c => c.AccuracyChange).Take(options.WorstRegressions)],
            Replicates = replicates,
        };
    }

    private Estimate? EstimateShare(Statistic part, Statistic whole) => replicates.EstimateShare(Share(part, whole), replicates.Sums[whole, 0]);

    private Estimate MeanOverRows(Statistic statistic) => replicates.EstimateFigure(Share(statistic, Rows))!.Value;

    private ModelQuality? Quality(Statistic right, Statistic logLoss, Statistic brier, Figure calibrationError, ConfidenceBins bins) =>
        replicates.Sums[Labelled, 0] == 0 ? null : new ModelQuality
        {
            Accuracy = EstimateShare(right, Labelled)!.Value,
            LogLoss = MeanOverLabelled(logLoss),
            Brier = MeanOverLabelled(brier),
            CalibrationError = replicates.EstimateFigure(calibrationError)!.Value,
            MeanConfidence = bins.MeanConfidence,
            Reliability = bins.ToReliability(),
        };

    private Estimate MeanOverLabelled(Statistic statistic) => replicates.EstimateFigure(Share(statistic, Labelled))!.Value;
}
