using System.Diagnostics;
using System.Globalization;
using MlNetDistill;
using Spectre.Console;

namespace SearchExample;

/// <summary>The leaderboard while the search goes on. On a terminal it is a live table; in a file or a pipe there is a line for each training.</summary>
internal sealed class LiveLeaderboard(LiveDisplayContext? live) : IProgress<SearchProgress>
{
    private const int Rows = 12;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private long _shown;

    /// <summary>Runs a search under the table.</summary>
    public static T Show<T>(Func<IProgress<SearchProgress>, T> search) => AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected
        ? AnsiConsole.Live(new Text("")).AutoClear(true).Start(live => search(new LiveLeaderboard(live)))
        : search(new LiveLeaderboard(null));

    public void Report(SearchProgress value)
    {
        if (live is null)
        {
            if (value.Epoch is null)
                Console.WriteLine($"[{100 * value.EpochsDone / value.EpochsPlanned} %] {value.Trial}");
            return;
        }

        // A small network has hundreds of epochs a second, and drawing the table takes as long as some of them.
        if (value.Epoch is not null && Stopwatch.GetElapsedTime(_shown) < Pause)
            return;
        live.UpdateTarget(Draw(value));
        _shown = Stopwatch.GetTimestamp();
    }

    private static Table Draw(SearchProgress value)
    {
        var table = new Table { Border = TableBorder.Horizontal, Caption = new TableTitle(Markup.Escape($"{value}"), Style.Plain) }
            .AddColumns("", "Method", "Student", "Rate", "Epochs", "Accuracy", "Agreement");
        foreach (var trial in value.Leaderboard.Take(Rows))
        {
            string[] cells =
            [
                $"{trial.Number}", $"{trial.Method}", trial.Student.Name, trial.LearningRate.ToString("G3", CultureInfo.InvariantCulture), $"{trial.Last?.Epochs}",
                $"{trial.Last?.Accuracy:0.0 %}", $"{trial.Last?.Agreement:0.0 %}",
            ];
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }

        return table;
    }
}
