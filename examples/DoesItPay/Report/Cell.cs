using DoesItPay.Measured;
using DoesItPay.Training;

namespace DoesItPay.Report;

/// <summary>The runs that differ only in their seed: a row of the table.</summary>
internal sealed record Cell
{
    public required RunKey Key { get; init; }

    public required IReadOnlyList<Run> Runs { get; init; }

    /// <summary>Why some runs have no result.</summary>
    public required IReadOnlyList<string> Failures { get; init; }

    /// <summary>The same student alone, searched; null if it was not measured, or for itself.</summary>
    public Cell? Alone { get; init; }

    /// <summary>Accuracy beyond that of the student alone, in points.</summary>
    public Interval? Gain { get; private init; }

    /// <summary>Agreement with the teacher beyond that of the student alone, in points.</summary>
    public Interval? Closer { get; private init; }

    public Spread Accuracy => Of(run => 100 * run.Accuracy);

    public Spread Agreement => Of(run => 100 * run.Agreement);

    public Spread Divergence => Of(run => run.Divergence);

    public Spread TeacherAccuracy => Of(run => 100 * run.TeacherAccuracy);

    public double Average(Func<Run, double> figure) => Runs.Average(figure);

    /// <summary>The cells in the order of the table.</summary>
    public static IReadOnlyList<Cell> From(IEnumerable<Run> runs)
    {
        var cells = runs.GroupBy(run => run.Key with { Seed = 0 }).Select(group =>
        {
            // A folder can hold runs of an earlier command with other settings; a cell is of one command.
            var newest = group.MaxBy(run => run.Written)!.Settings;
            var mine = group.Where(run => run.Settings == newest).OrderBy(run => run.Key.Seed).ToList();
            return new Cell
            {
                Key = group.Key,
                Runs = [.. mine.Where(run => run.Failure is null)],
                Failures = [.. mine.Select(run => run.Failure).OfType<string>().Distinct()],
            };
        }).ToDictionary(cell => cell.Key);
        string[] arms = [.. ArmList.All.Select(arm => arm.Name)];
        return
        [
            .. cells.Values.Select(cell => cell.Compared(cells.GetValueOrDefault(cell.Key with { Arm = ArmList.AloneSearched })))
                .OrderBy(cell => cell.Key.Set, StringComparer.Ordinal).ThenByDescending(cell => cell.Key.Regime).ThenBy(cell => cell.Key.Teacher, StringComparer.Ordinal)
                .ThenBy(cell => cell.Key.Student).ThenBy(cell => Array.IndexOf(arms, cell.Key.Arm)),
        ];
    }

    private Cell Compared(Cell? alone)
    {
        if (alone is null || alone == this)
            return this;
        var pairs = Runs.Join(alone.Runs, run => run.Key.Seed, run => run.Key.Seed, (mine, other) => (mine, other)).ToList();
        return pairs.Count == 0 ? this : this with
        {
            Alone = alone,
            Gain = Interval.OfDifference([.. pairs.Select(pair => (Correct(pair.mine), Correct(pair.other)))]),
            Closer = Interval.OfDifference([.. pairs.Select(pair => (Agrees(pair.mine), Agrees(pair.other)))]),
        };

        static bool[] Correct(Run run) => Bits.FromText(run.Correct, run.TestRows);
        static bool[] Agrees(Run run) => Bits.FromText(run.Agrees, run.TestRows);
    }

    private Spread Of(Func<Run, double> figure) => Spread.FromValues(Runs.Select(figure));
}
