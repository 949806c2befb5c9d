using MlNetDistill.Evaluation;
using static System.FormattableString;

namespace MlNetDistill.Reporting;

/// <summary>The results of a report on embeddings in sentences.</summary>
internal static class EmbeddingVerdict
{
    public static IReadOnlyList<string> Create(EmbeddingReport report) =>
    [
        .. Overlaps(report),
        .. Search(report.Retrieval),
        .. Verification(report),
        .. Costs(report.Teacher.Cost, report.Student.Cost),
    ];

    private static IEnumerable<string> Overlaps(EmbeddingReport report)
    {
        if (report.TrainingOverlap is { Excess: > ReportVerdict.ReportedOverlap } overlap)
            yield return $"{Figures.Percent(overlap.Share)} of the test rows have the features of a row that the student was trained on, so the figures do not show how it does on new rows. Test on rows of identities that it was not trained on.";
        if (report.GalleryOverlap is > ReportVerdict.ReportedOverlap and var known)
            yield return $"{Figures.Percent(known)} of the test rows are also in the gallery, in which each finds itself first. Search other rows, or leave Gallery null.";
    }

    private static IEnumerable<string> Search(RetrievalMetrics metrics)
    {
        var (student, teacher) = (metrics.Student, metrics.Teacher);
        var queries = Figures.Count(metrics.Queries, "query", "queries");
        if (teacher is null)
        {
            yield return $"The student finds a row of the same identity first for {Figures.Percent(student.RankOne)} of {queries}; its mean average precision is {Figures.Percent(student.MeanAveragePrecision)}.";
        }
        else
        {
            var kept = teacher.RankOne > 0 ? Invariant($", {student.RankOne / teacher.RankOne:0.00} times the teacher's") : "";
            yield return $"The student finds a row of the same identity first for {Figures.Percent(student.RankOne)} of {queries}{kept} ({Figures.Percent(teacher.RankOne)}).";
            yield return $"Its mean average precision is {Figures.Percent(student.MeanAveragePrecision)}, the teacher's {Figures.Percent(teacher.MeanAveragePrecision)}.";
        }

        if (metrics.NeighbourAgreement is { } agreement)
            yield return $"Of the {Figures.Count(metrics.Neighbours)} rows nearest to a row by the student, {Figures.Percent(agreement)} are among the {Figures.Count(metrics.Neighbours)} nearest by the teacher.";
    }

    private static IEnumerable<string> Verification(EmbeddingReport report)
    {
        if (report is not { StudentVerification: { } student, TeacherVerification: { } teacher })
            yield break;
        foreach (var (mine, theirs) in student.AcceptRates.Zip(teacher.AcceptRates).Take(1))
        {
            yield return $"At thresholds that accept at most {Figures.Compact(mine.FalseAcceptRate)} of the pairs of unlike identities, the student accepts " +
                $"{Figures.Percent(mine.TrueAcceptRate)} of the pairs of the same identity, the teacher {Figures.Percent(theirs.TrueAcceptRate)}.";
        }
    }

    private static IEnumerable<string> Costs(ModelCost? teacher, ModelCost? student)
    {
        if (teacher is null || student is null)
        {
            yield return (teacher, student) is (null, null) ? "Time and size were not measured." : $"Time and size were measured for the {(student is null ? "teacher" : "student")} only.";
            yield break;
        }

        yield return $"The saved student has {Figures.Bytes(student.ZipBytes)}, {Compare(teacher.ZipBytes, student.ZipBytes, "smaller", "larger")} than its teacher ({Figures.Bytes(teacher.ZipBytes)}).";
        yield return $"A single row takes it {Figures.Microseconds(student.SingleRow.Median)} (median), {Compare(teacher.SingleRow.Median, student.SingleRow.Median, "less", "more")} than the teacher " +
            $"({Figures.Microseconds(teacher.SingleRow.Median)}).";
    }

    private static string Compare(double teacher, double student, string less, string more) =>
        student <= teacher ? $"{Figures.Ratio(teacher / student)} times {less}" : $"{Figures.Ratio(student / teacher)} times {more}";
}
