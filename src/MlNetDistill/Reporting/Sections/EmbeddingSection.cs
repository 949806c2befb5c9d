using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static System.FormattableString;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Search and verification by embeddings: charts, a table, and what the figures mean.</summary>
internal static class EmbeddingSection
{
    private static readonly int[] Ranks = [1, 5, 10, 20];

    private static readonly (string Name, string Meaning)[] Meanings =
    [
        ("Rank k", "Share of the queries that have a row of their identity among the k nearest rows by the cosine of the embeddings. The curve over k is the cumulative match curve."),
        ("Mean average precision", "The average precision of a query is the mean, over the rows of its identity, of the share of such rows among the rows up to it; the figure is the mean over the queries."),
        ("Nearest rows shared with the teacher", "Mean over all rows of the share of a row's nearest rows by the student that are also among its nearest by the teacher. Identities do not matter for it."),
        (
            "TAR at FAR",
            "Every pair of rows is accepted as of one identity from a threshold of the cosine on. The true accept rate (TAR) is the accepted share of the pairs of the same identity, at the lowest threshold " +
            "whose false accept rate (FAR), the accepted share of the pairs of unlike identities, is at most the one given. Teacher and student have thresholds of their own."),
        ("Area under the curve", "The share of the pairs of pairs, one of the same identity and one of unlike ones, in which the first has the higher cosine; ties count half."),
    ];

    public static Section CreateCharts(EmbeddingReport report, IReadOnlyList<ComparedModel> models) => new(
        "charts",
        "Search and verification",
        Svg.Legend(models.Select(model => (model.Kind, (object)Name(model.Name)))),
        Tag(
            "div",
            Class("figures"),
            MatchChart.Draw("match", [.. Qualities(report, models)]),
            Curves(report, models) is { Count: > 0 } curves ? RocChart.Draw("roc", curves) : null))
    {
        IsFolded = false,
    };

    public static Section CreateTable(EmbeddingReport report) => new(
        "figures",
        "Teacher and student",
        Table.Create("figures-table", "On the test rows", ["Figure", "Teacher", "Student"], Rows(report)))
    {
        IsFolded = false,
    };

    public static Section CreateMeanings() => new(
        "reading",
        "How to read the figures",
        Tag("dl", Class("meanings"), Meanings.Select(meaning => Tag("div", Tag("dt", meaning.Name), Tag("dd", meaning.Meaning)))));

    private static IEnumerable<(ComparedModel Model, RetrievalQuality Quality)> Qualities(EmbeddingReport report, IReadOnlyList<ComparedModel> models)
    {
        if (report.Retrieval.Teacher is { } teacher)
            yield return (models[0], teacher);
        yield return (models[1], report.Retrieval.Student);
    }

    private static List<(ComparedModel Model, VerificationMetrics Metrics)> Curves(EmbeddingReport report, IReadOnlyList<ComparedModel> models) =>
    [
        .. new[] { (Model: models[0], Metrics: report.TeacherVerification), (Model: models[1], Metrics: report.StudentVerification) }
            .Where(curve => curve.Metrics is { Curve.Count: > 0 }).Select(curve => (curve.Model, curve.Metrics!)),
    ];

    private static IEnumerable<IReadOnlyList<object?>> Rows(EmbeddingReport report)
    {
        var (student, teacher) = (report.Retrieval.Student, report.Retrieval.Teacher);
        foreach (var rank in Ranks.Where(rank => rank <= student.MatchCurve.Count))
            yield return [Invariant($"Rank {rank}"), Share(teacher?.RankAt(rank)), Share(student.RankAt(rank))];
        yield return ["Mean average precision", Share(teacher?.MeanAveragePrecision), Share(student.MeanAveragePrecision)];
        yield return [Invariant($"{report.Retrieval.Neighbours} nearest rows shared with the teacher"), null, Share(report.Retrieval.NeighbourAgreement)];
        foreach (var rate in (report.StudentVerification ?? report.TeacherVerification)?.AcceptRates ?? [])
        {
            yield return [$"TAR at FAR {Figures.Compact(rate.FalseAcceptRate)}",
                Share(report.TeacherVerification?.At(rate.FalseAcceptRate).TrueAcceptRate), Share(report.StudentVerification?.At(rate.FalseAcceptRate).TrueAcceptRate)];
            yield return [$"Threshold at FAR {Figures.Compact(rate.FalseAcceptRate)}",
                Number(report.TeacherVerification?.At(rate.FalseAcceptRate).Threshold), Number(report.StudentVerification?.At(rate.FalseAcceptRate).Threshold)];
        }

        if (report.StudentVerification is not null || report.TeacherVerification is not null)
            yield return ["Area under the curve", Number(report.TeacherVerification?.AreaUnderCurve), Number(report.StudentVerification?.AreaUnderCurve)];
        if (report.Teacher.Cost is not null || report.Student.Cost is not null)
        {
            yield return ["Size of the saved model", Table.NumberCell(report.Teacher.Cost?.ZipBytes, Figures.Bytes), Table.NumberCell(report.Student.Cost?.ZipBytes, Figures.Bytes)];
            yield return ["Time of a single row, median", Table.NumberCell(report.Teacher.Cost?.SingleRow.Median, Figures.Microseconds), Table.NumberCell(report.Student.Cost?.SingleRow.Median, Figures.Microseconds)];
        }
    }

    private static XElement? Share(double? value) => Table.NumberCell(value, Figures.Percent);

    private static XElement? Number(double? value) => Table.NumberCell(value, Figures.Number);
}
