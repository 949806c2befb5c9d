using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>Formats the result of a search for a console.</summary>
internal static class SearchTable
{
    private const int MostRows = 12;
    private static readonly string[] Head = ["", "student", "rows", "rate", "epochs", "accuracy", "agreement", "loss", "size", "row"];

    public static string Format(SearchResult result)
    {
        var shown = result.Leaderboard.Where(trial => !trial.IsAlone).Take(MostRows - 3).Concat(result.Leaderboard.Where(trial => trial.IsAlone).Take(3)).ToList();
        var left = result.Leaderboard.Count - shown.Count;
        return string.Join(
            Environment.NewLine,
            [
                $"Search for the {result.Goal}: {Figures.Count(result.Leaderboard.Count, "candidate")}, chosen by {Figures.Count(result.ChoosingRows, "row")}; " +
                    Invariant($"{(double)result.TrainingSteps / result.StepsOfOneFit:0.0} times the steps of one fit, {NumberText.Duration(result.Elapsed)}"),
                TextTable.Format([Head, .. shown.Select(Row)]),
                .. left > 0 ? [$"and {left} more"] : Array.Empty<string>(),
                .. TextLines.Wrap(result.Verdict, TextLines.Width),
            ]);
    }

    /// <summary>A method in a few characters.</summary>
    internal static string Short(SearchTrial trial) => trial.IsAlone ? "alone" : $"{trial.Method}".Split(Environment.NewLine)[0];

    private static string?[] Row(SearchTrial trial) =>
    [
        Short(trial), trial.Student.Name, trial.TransferRows?.Short, Invariant($"{trial.LearningRate:G3}"), .. trial switch
        {
            { Failure: not null } => ["failed"],
            { Ranked: { } last } =>
            [
                Invariant($"{last.Epochs}"), Figures.Number(last.Accuracy), Figures.Number(last.Agreement), Figures.Number(last.Loss),
                trial.ZipBytes is { } bytes ? Figures.Bytes(bytes) : null, trial.MicrosecondsPerRow is { } time ? Figures.Microseconds(time) : null,
            ],
            _ => Array.Empty<string?>(),
        },
    ];
}
