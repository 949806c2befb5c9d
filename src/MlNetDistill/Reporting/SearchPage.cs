using System.Xml.Linq;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using static System.FormattableString;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Renders the result of a search as an HTML page.</summary>
internal static class SearchPage
{
    public static string Render(SearchResult result) => PageFrame.Render(
        $"Search for the {result.Goal}",
        $"Whether distilling pays: search for the {result.Goal}",
        [
            Tag("h1", $"Search for the {result.Goal}"),
            Paragraph(
                Class("made"),
                $"{Figures.Count(result.Leaderboard.Count, "candidate")}, chosen by {Figures.Count(result.ChoosingRows, "row")}, judged on {Figures.Count(result.Metrics.Rows, "other row")} · ",
                Invariant($"{(double)result.TrainingSteps / result.StepsOfOneFit:0.0} times the steps of one fit, {NumberText.Duration(result.Elapsed)} of training")),
        ],
        [Verdict(result), Tradeoffs(result), Leaderboard(result)],
        Paragraph("Made by MlNetDistill. ", Tag("code", "search.json"), " holds the same numbers, including every rung."));

    private static Section Verdict(SearchResult result) => new(
        "verdict",
        "Verdict",
        Sentences(result.Verdict.Split(". ").Select(sentence => sentence.EndsWith('.') ? sentence : $"{sentence}.")),
        Table.Create(
            "judged", $"On {Figures.Count(result.Metrics.Rows, "row")} that no training and no choice has used", ["Model", "Accuracy", "Agreement"],
            [
                ["Teacher", Table.EstimateCell(result.Metrics.Teacher!.Accuracy, Figures.Percent), null],
                ["Student, distilled", Table.EstimateCell(result.Metrics.Student!.Accuracy, Figures.Percent), Table.EstimateCell(result.Metrics.Agreement, Figures.Percent)],
                ["Student, alone", Table.EstimateCell(result.AloneMetrics.Student!.Accuracy, Figures.Percent), Table.EstimateCell(result.AloneMetrics.Agreement, Figures.Percent)],
                ["Difference, points", Table.EstimateCell(result.AccuracyGain, Figures.Change), Table.EstimateCell(result.AgreementGain, Figures.Change)],
            ]))
    {
        IsFolded = false,
    };

    /// <summary>Charts of the candidates that were trained in full: only they have a cost.</summary>
    private static Section Tradeoffs(SearchResult result)
    {
        var trials = result.Leaderboard.Where(trial => trial is { Chosen: not null, ZipBytes: > 0, MicrosecondsPerRow: > 0 }).ToList();
        return new Section(
            "tradeoffs", "Quality against size and time",
            Svg.Legend([("student", "distilled"), ("alone", "alone")]),
            Tag("div", Class("figures"), Charts("Accuracy", rung => rung.Accuracy), Charts("Agreement with the teacher", rung => rung.Agreement)),
            Paragraph(Class("note"), "On the rows by which candidates are chosen. The time is the median of a row among many, without the steps before the student."))
        {
            IsFolded = false,
        };

        XElement[] Charts(string name, Func<SearchRung, double> quality)
        {
            var id = name[..5].ToLowerInvariant();
            return
            [
                TradeoffChart.Draw(
                    $"{id}-size", $"{name} against size", "size of the saved model (log scale)", Figures.Bytes,
                    [.. trials.Select(trial => (Mark(trial, quality), (double)trial.ZipBytes!.Value))], LogScale.FromBytes),
                TradeoffChart.Draw(
                    $"{id}-time", $"{name} against time", "median time of a row (log scale)", Figures.Microseconds,
                    [.. trials.Select(trial => (Mark(trial, quality), trial.MicrosecondsPerRow!.Value))], LogScale.FromMicroseconds),
            ];
        }
    }

    private static Interval Mark(SearchTrial trial, Func<SearchRung, double> quality) => new(
        new ComparedModel(trial.IsAlone ? "alone" : "student", new ReportedModel { Name = Invariant($"{trial.Number}: {trial.Setting}") }, null, null), new Estimate(quality(trial.Ranked!)));

    private static Section Leaderboard(SearchResult result) => new(
        "leaderboard",
        "Leaderboard",
        Table.Create(
            "trials", "Candidates, each by its best training, or by its longest if it was not trained in full, on the rows by which they are chosen",
            ["Candidate", "Student", "Transfer rows", "Rate", "Epochs", "Accuracy", "Agreement", "Loss", "Parameters", "Size", "Row"],
            result.Leaderboard.Select(Row)))
    {
        IsFolded = false,
    };

    private static IReadOnlyList<object?> Row(SearchTrial trial) =>
    [
        Name($"{trial.Number}: {(trial.IsAlone ? "alone" : $"{trial.Method}")}{(trial.Failure is null ? "" : " (failed)")}"),
        Table.TextCell(Name(trial.Student.Name)),
        Table.TextCell(trial.TransferRows?.Short ?? ""),
        Table.NumberCell(trial.LearningRate, Figures.Compact),
        Table.NumberCell(trial.Ranked?.Epochs, epochs => Figures.Count((long)epochs)),
        Table.NumberCell(trial.Ranked?.Accuracy, Figures.Percent),
        Table.NumberCell(trial.Ranked?.Agreement, Figures.Percent),
        Table.NumberCell(trial.Ranked?.Loss, Figures.Number),
        Table.NumberCell(trial.Parameters, parameters => Figures.Count((long)parameters)),
        Table.NumberCell(trial.ZipBytes, Figures.Bytes),
        Table.NumberCell(trial.MicrosecondsPerRow, Figures.Microseconds),
    ];
}
