using System.Text;
using DoesItPay.Training;
using static System.FormattableString;

namespace DoesItPay.Report;

/// <summary>The table, in Markdown: a part for each data set and share of labelled rows.</summary>
internal static class MarkdownTable
{
    private const string Explanation = """
        Accuracy and agreement (share of the test rows with the teacher's class) in %, mean ± standard deviation over the seeds; KL(teacher ‖ student) in nats. *Gain*:
        accuracy beyond that of the searched student alone, in points, with a 95 % interval: a paired bootstrap in which each of 2,000 replicates draws seeds and test rows
        with replacement and takes the answers of both students; **bold** where the interval is above 0, *slanted* where it is below. *Closer*: the same of agreement. Size:
        of the saved pipeline. Steps: of the training. µs: a row through a PredictionEngine, median, from raw columns. s: a fit, questions to the teacher included; the search is not.

        *With labels*: the teacher is fitted on these rows alone, drawn by the seed with the same share of every class; where it is below 100 %, students that are taught
        have the other training rows without labels. *Alone, searched*: rate and length were chosen with the first seed on held-out labelled rows and are the same for all
        seeds. Test rows chose nothing.
        """;

    public static string Format(IReadOnlyList<Cell> cells)
    {
        var text = new StringBuilder().AppendLine("# Does it pay?").AppendLine().AppendLine(Explanation).AppendLine().AppendLine(Summary(cells));
        foreach (var part in cells.GroupBy(cell => (cell.Key.Set, cell.Key.Regime)))
        {
            text.AppendLine().AppendLine(Invariant($"## {part.Key.Set}, {part.Key.Regime} % with labels")).AppendLine();
            text.AppendLine("| teacher | units | way to train | accuracy | gain | agreement | closer | KL | size | µs | steps | s |");
            text.AppendLine("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
            foreach (var teacher in part.GroupBy(cell => cell.Key.Teacher))
                Append(text, [.. teacher]);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, IReadOnlyList<Cell> cells)
    {
        // The cell with the most seeds: the teachers of fewer seeds are some of its teachers.
        if (cells.MaxBy(cell => cell.Runs.Count) is { Runs.Count: > 0 } any)
        {
            text.AppendLine(Invariant(
                $"| {any.Key.Teacher} | | the teacher | {any.TeacherAccuracy.ToString("0.00")} | | | | | {Size(any.Average(run => run.TeacherZipBytes))} | {any.Average(run => run.TeacherMicroseconds):0.0} | | |"));
        }

        foreach (var cell in cells)
        {
            text.AppendLine(cell.Runs.Count == 0
                ? $"| {cell.Key.Teacher} | {cell.Key.Student} | {ArmList.Get(cell.Key.Arm).Title} | no result: {string.Join(' ', cell.Failures).Replace('|', '/').ReplaceLineEndings(" ")} | | | | | | | | |"
                : Invariant($"| {cell.Key.Teacher} | {cell.Key.Student} | {ArmList.Get(cell.Key.Arm).Title}{Note(cell)} | {cell.Accuracy.ToString("0.00")} | {Marked(cell.Gain)} | ")
                    + Invariant($"{cell.Agreement.ToString("0.00")} | {cell.Closer} | {cell.Divergence.ToString("0.000")} | {Size(cell.Average(run => run.ZipBytes))} | ")
                    + Invariant($"{cell.Average(run => run.Microseconds):0.0} | {cell.Average(run => run.Steps):N0} | {cell.Average(run => run.Seconds):0.0} |"));
        }
    }

    /// <summary>For each way to train: where it was above or below the student alone.</summary>
    private static string Summary(IReadOnlyList<Cell> cells)
    {
        var lines = cells.Where(cell => cell.Gain is not null && !ArmList.Get(cell.Key.Arm).IsAlone).GroupBy(cell => (cell.Key.Arm, cell.Key.Regime)).Select(arm => Invariant(
            $"| {ArmList.Get(arm.Key.Arm).Title} | {arm.Key.Regime} | {arm.Count()} | {arm.Count(cell => cell.Gain!.IsAboveZero)} | {arm.Count(cell => cell.Gain!.IsBelowZero)} | ")
            + Invariant($"{arm.Average(cell => cell.Gain!.Mean):+0.00;-0.00;0.00} | {arm.Min(cell => cell.Gain!.Mean):+0.00;-0.00;0.00} | {arm.Average(cell => cell.Closer!.Mean):+0.00;-0.00;0.00} | {arm.Min(cell => cell.Closer!.Mean):+0.00;-0.00;0.00} |"));
        return string.Join(
            Environment.NewLine,
            ["| | % with labels | comparisons | gain above 0 | below 0 | mean gain | least gain | mean closer | least closer |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|", .. lines]);
    }

    private static string Note(Cell cell) => cell.Failures.Count == 0 ? "" : Invariant($" ({cell.Runs.Count} seeds; others failed: {cell.Failures[0].Replace('|', '/').ReplaceLineEndings(" ")})");

    private static string Marked(Interval? gain) => gain switch
    {
        null => "",
        { IsAboveZero: true } => $"**{gain}**",
        { IsBelowZero: true } => $"*{gain}*",
        _ => $"{gain}",
    };

    private static string Size(double bytes) => bytes < 1e6 ? Invariant($"{bytes / 1e3:0} KB") : Invariant($"{bytes / 1e6:0.0} MB");
}
