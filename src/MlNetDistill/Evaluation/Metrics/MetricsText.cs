using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>Formats metrics as tables for a console, with the names of the report's page.</summary>
internal static class MetricsText
{
    private const int MaximumDisagreements = 10;

    public static string? Percent(double? share) => share is { } value ? Figures.Percent(value) : null;

    public static string Format(DistillationMetrics metrics)
    {
        var labelled = metrics.LabelledRows == 0 ? ", no labels" : metrics.LabelledRows < metrics.Rows ? $", {Figures.Count(metrics.LabelledRows)} of them with a label" : "";
        var level = metrics.Replicates is { } replicates ? Invariant($" at {100 * replicates.ConfidenceLevel:0.#} %") : "";
        var intervals = metrics.Agreement.Lower is null ? "" : $"; in brackets confidence intervals{level}";
        List<string> parts =
        [
            $"{Figures.Count(metrics.Rows)} rows{labelled}, {metrics.Classes.Count} classes{intervals}",
            TextTable.Format([["", "Teacher", "Student"], .. Quality(metrics.Teacher, metrics.Student), .. Fidelity(metrics)]),
        ];
        if (metrics.WorstRegressions.Count > 0)
            parts.Add(TextTable.Format([["Classes that lose most", "Rows", "Teacher", "Student", "Change"], .. metrics.WorstRegressions.Select(Row)]));
        return string.Join(Environment.NewLine, parts);
    }

    public static string Format(ModelQuality quality) =>
        TextTable.Format([.. Quality(quality), ["Mean confidence", Figures.Percent(quality.MeanConfidence)]]);

    public static string Format(DistillationDifference difference) => TextTable.Format(
    [
        ["", "Difference"],
        Signed("Accuracy, points", difference.Accuracy, Points),
        Signed("Log-loss, nats", difference.LogLoss, Number),
        Signed("Brier score", difference.Brier, Number),
        Signed("Calibration error, points", difference.CalibrationError, Points),
        Signed("Agreement, points", difference.Agreement, Points),
        Signed("  where the teacher is correct", difference.AgreementWhereTeacherIsCorrect, Points),
        Signed("  where the teacher is wrong", difference.AgreementWhereTeacherIsWrong, Points),
        Signed("KL(teacher ‖ student), nats", difference.Divergence, Number),
        Signed("KL(student ‖ teacher), nats", difference.ReverseDivergence, Number),
        Signed("Jensen-Shannon, nats", difference.JensenShannonDivergence, Number),
    ]);

    public static string Format(AgreementMatrix matrix)
    {
        var classes = Enumerable.Range(0, matrix.Classes).ToList();
        // A larger matrix cannot fit.
        if (classes.Count <= TextLines.Width / 3)
        {
            var table = TextTable.Format([
                ["Teacher down, student across", .. classes.Select(student => $"{student}")],
                .. classes.Select(teacher => (string?[])[$"{teacher}", .. classes.Select(student => Figures.Count(matrix[teacher, student]))])]);
            if (table.Split(Environment.NewLine).All(line => line.Length <= TextLines.Width))
                return table;
        }

        var (rows, same) = (matrix.Sum(cell => cell.Rows), matrix.Where(cell => cell.Teacher == cell.Student).Sum(cell => cell.Rows));
        var others = matrix.Where(cell => cell.Teacher != cell.Student).OrderByDescending(cell => cell.Rows).Take(MaximumDisagreements).Select(cell => $"  {cell}");
        return string.Join(Environment.NewLine, others.Prepend(
            $"{matrix.Classes} classes; both models predict the same class for {Figures.Count(same)} of {Figures.Count(rows)} rows" +
            (same < rows ? "; largest disagreements:" : "")));
    }

    private static IEnumerable<string?[]> Quality(params IReadOnlyList<ModelQuality?> models) => models.All(model => model is null) ? [] :
    [
        ["Accuracy", .. models.Select(model => Text(model?.Accuracy, Figures.Percent))],
        ["Log-loss, nats", .. models.Select(model => Text(model?.LogLoss, Figures.Number))],
        ["Brier score", .. models.Select(model => Text(model?.Brier, Figures.Number))],
        ["Calibration error", .. models.Select(model => Text(model?.CalibrationError, Figures.Percent))],
    ];

    private static IEnumerable<string?[]> Fidelity(DistillationMetrics metrics)
    {
        yield return Row("Agreement", metrics.Agreement, Figures.Percent);
        if (metrics.AgreementWhereTeacherIsCorrect is { } correct)
            yield return Row("  where the teacher is correct", correct, Figures.Percent);
        if (metrics.AgreementWhereTeacherIsWrong is { } wrong)
            yield return Row("  where the teacher is wrong", wrong, Figures.Percent);
        yield return Row("KL(teacher ‖ student), nats", metrics.Divergence, Figures.Number);
        yield return Row("KL(student ‖ teacher), nats", metrics.ReverseDivergence, Figures.Number);
        yield return Row("Jensen-Shannon, nats", metrics.JensenShannonDivergence, Figures.Number);
        yield return Row("Squared difference", metrics.SquaredDifference, Figures.Number);
        if (metrics.RankCorrelation is { } correlation)
            yield return Row("Rank correlation", correlation, Figures.Number);
        foreach (var top in metrics.TopKOverlap)
            yield return Row($"Overlap of the top {top.K}", top.Overlap, Figures.Percent);

        static string?[] Row(string name, Estimate estimate, Func<double, string> format) => [name, "", Text(estimate, format)];
    }

    private static string?[] Row(ClassFidelity c) =>
    [
        $"  {c.Class}", Figures.Count(c.Rows), Percent(c.TeacherAccuracy), Percent(c.StudentAccuracy), c.AccuracyChange is { } change ? $"{Points(change)} points" : null,
    ];

    private static string?[] Signed(string name, Estimate? estimate, Func<double, string> format) => [name, Text(estimate, format)];

    private static string? Text(Estimate? estimate, Func<double, string> format) => estimate is { } value ? Figures.WithInterval(value, format) : null;

    private static string Points(double share) => Invariant($"{100 * share:+0.00;-0.00;0.00}");

    private static string Number(double value) => Invariant($"{value:+0.0000;-0.0000;0.0000}");
}
