using DoesItPay.Measured;
using DoesItPay.Training;
using Spectre.Console;

namespace DoesItPay.Report;

/// <summary>The runs of a data set and regime. On a terminal the table fills in as students finish; in a file or a pipe there is a line for each, and the table at the end.</summary>
internal sealed class LiveTable
{
    private static readonly string[] Figures = ["Steps", "Accuracy %", "Agreement %", "KL", "s"];
    private readonly LiveDisplayContext? _live;
    private readonly List<RunKey> _cells;
    private readonly List<Run>[] _runs;
    private readonly int _seeds;
    private readonly Table _table;

    private LiveTable(Table table, IReadOnlyList<RunKey> cells, int seeds, LiveDisplayContext? live)
    {
        (_table, _cells, _seeds, _live) = (table, [.. cells], seeds, live);
        _runs = [.. cells.Select(_ => new List<Run>())];
        foreach (var cell in cells)
            table.AddRow([Markup.Escape($"{cell.Teacher} {cell.Student} {cell.Arm}"), .. Enumerable.Repeat("", Figures.Length)]);
    }

    /// <summary>Runs some training under the table.</summary>
    public static void Show(IReadOnlyList<RunKey> cells, int seeds, Action<LiveTable> training)
    {
        var table = new Table { Border = TableBorder.Horizontal, Caption = new TableTitle(" ", Style.Plain) }
            .AddColumn(new TableColumn(Markup.Escape($"{cells[0].Set}, {cells[0].Regime} % labels")).NoWrap())
            .AddColumns([.. Figures.Select(heading => new TableColumn(heading).RightAligned().NoWrap().PadLeft(0))]);
        if (AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected)
        {
            AnsiConsole.Live(table).Start(live => training(new LiveTable(table, cells, seeds, live)));
            return;
        }

        training(new LiveTable(table, cells, seeds, null));
        AnsiConsole.Write(table);
    }

    /// <summary>Shows what is being trained.</summary>
    public EpochLine Follow(string what) => new(what, Show);

    public void Searched(int size, AloneSetting chosen) =>
        Line(FormattableString.Invariant($"Student {size} alone: rate {chosen.LearningRate}, {chosen.Epochs} epochs: {100 * chosen.HeldOutAccuracy:0.00} % of the held-out rows"));

    public void Finished(Run run)
    {
        var at = _cells.IndexOf(run.Key with { Seed = 0 });
        _runs[at].Add(run);
        Line(FormattableString.Invariant(
            $"{run.Key.Teacher}, {run.Key.Student}, {run.Key.Arm}, seed {run.Key.Seed}: ") + (run.Failure ?? FormattableString.Invariant(
            $"accuracy {100 * run.Accuracy:0.00} (teacher {100 * run.TeacherAccuracy:0.00}), agreement {100 * run.Agreement:0.00}, {run.Steps:N0} steps, {run.Seconds:0.0} s")));
        var runs = _runs[at].Where(other => other.Failure is null).ToList();
        if (runs.Count > 0)
            Fill(at, runs);
        Show(_runs.All(finished => finished.Count == _seeds) ? "mean ± standard deviation over the seeds; KL(teacher ‖ student) in nats" : " ");
    }

    private void Fill(int at, List<Run> runs)
    {
        string[] figures =
        [
            $"{runs.Average(run => run.Steps):N0}",
            Spread.FromValues(runs.Select(run => 100 * run.Accuracy)).ToString("0.00"),
            Spread.FromValues(runs.Select(run => 100 * run.Agreement)).ToString("0.00"),
            $"{runs.Average(run => run.Divergence):0.000}",
            $"{runs.Average(run => run.Seconds):0.0}",
        ];
        for (var i = 0; i < figures.Length; i++)
            _table.UpdateCell(at, i + 1, Markup.Escape(figures[i]));
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
}
