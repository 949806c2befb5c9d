using CompareMethods.Training;
using MlNetDistill.Training;
using Spectre.Console;

namespace CompareMethods.Report;

/// <summary>The table. On a terminal it fills in as students finish; in a file or a pipe there is a line for each, and the table at the end.</summary>
internal sealed class LiveTable
{
    private static readonly string[] Figures = ["Epochs", "Accuracy %", "Agreement %", "KL, nats", "s/run"];
    private readonly LiveDisplayContext? _live;
    private readonly List<string> _names;
    private readonly Table _table;

    private LiveTable(Table table, IReadOnlyList<string> names, LiveDisplayContext? live)
    {
        (_table, _names, _live) = (table, ["Teacher", .. names], live);
        foreach (var name in _names)
            table.AddRow([Markup.Escape(name), .. Enumerable.Repeat("", table.Columns.Count - 1)]);
    }

    /// <summary>Runs some training under the table.</summary>
    /// <param name="names">The students, a row for each.</param>
    /// <param name="training">What is run.</param>
    public static T Show<T>(IReadOnlyList<string> names, Func<LiveTable, T> training)
    {
        // No vertical lines and little padding: it fits into 80 columns.
        var table = new Table { Border = TableBorder.Horizontal, Caption = new TableTitle(" ", Style.Plain) }
            .AddColumn(new TableColumn("On the test rows").NoWrap())
            .AddColumns([.. Figures.Select(heading => new TableColumn(heading).RightAligned().NoWrap().PadLeft(0))]);
        if (AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected)
            return AnsiConsole.Live(table).Start(live => training(new LiveTable(table, names, live)));
        var result = training(new LiveTable(table, names, null));
        AnsiConsole.Write(table);
        return result;
    }

    /// <summary>Shows what is being trained. Pass the result to the trainer.</summary>
    public IProgress<TrainingProgress> Follow(string what) => _live is null ? new Silence() : new EpochLine(what, Show);

    public void Teacher(int epochs, double accuracy)
    {
        Line($"Teacher: accuracy {accuracy:0.00 %}");
        Fill("Teacher", $"{epochs}", $"{100 * accuracy:0.00}");
    }

    public void Tried(string method, string setting, double? accuracy) =>
        Line($"{method}: tried {setting}: {(accuracy is { } share ? $"{share:0.00 %} of the held-out rows" : "training failed")}");

    public void Finished(Outcome outcome)
    {
        var last = outcome.Runs[^1];
        Line(
            $"{outcome.Setup.Name}: seed {last.Seed}: accuracy {last.Accuracy:0.00 %}, agreement {last.Agreement:0.00 %}, " +
            $"KL {last.Divergence:0.000}, {last.Seconds:0.0} s");
        Fill(
            outcome.Setup.Name,
            outcome.Setup.EpochsText,
            outcome.Accuracy.ToString("0.00"),
            outcome.Agreement.ToString("0.00"),
            outcome.Divergence.ToString("0.000"),
            $"{outcome.Seconds:0.0}");
    }

    /// <summary>Removes the last line of progress.</summary>
    public void End() => Show("mean ± standard deviation over the seeds; KL(teacher ‖ student)");

    private void Fill(string name, params string[] figures)
    {
        for (var i = 0; i < figures.Length; i++)
            _table.UpdateCell(_names.IndexOf(name), i + 1, Markup.Escape(figures[i]));
        _live?.Refresh();
    }

    private void Show(string caption)
    {
        _table.Caption = new TableTitle(Markup.Escape(caption), Style.Plain);
        _live?.Refresh();
    }

    private void Line(string text)
    {
        if (_live is null)
            Console.WriteLine(text);
    }

    private sealed class Silence : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) { }
    }
}
