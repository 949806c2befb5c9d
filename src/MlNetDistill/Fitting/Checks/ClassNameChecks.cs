using MlNetDistill.Alignment;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>Finds wrong class names in a teacher's confusion matrix.</summary>
internal static class ClassNameChecks
{
    private const int FewestRows = 5;
    private const int MostNames = 5;

    /// <summary>Warnings, each of one sentence or two.</summary>
    public static IEnumerable<string> Warnings(ClassConfusion confusion, ClassLabels classes) => Exchanged(confusion, classes).Concat(NeverPredicted(confusion, classes));

    /// <summary>Warnings of classes that the teacher mostly confuses in a cycle, as if their names were exchanged.</summary>
    public static IEnumerable<string> Exchanged(ClassConfusion confusion, ClassLabels classes)
    {
        foreach (var cycle in FindCycles(confusion))
        {
            var named = cycle.Index().Select(at => (Class: at.Item, As: cycle[(at.Index + 1) % cycle.Count]))
                .Select(pair => Invariant($"'{classes.NameOf(pair.As)}' for {confusion.Cell(pair.Class, pair.As):0.##} of {confusion.RowsOf(pair.Class):0.##} rows of '{classes.NameOf(pair.Class)}'"));
            yield return $"The teacher predicts {JoinNames([.. named])}: " +
                $"the names of these {cycle.Count} classes are most likely {(cycle.Count == 2 ? "swapped" : "in the wrong order")}. " +
                "Give classNames in the order of the teacher's scores, or correct the ClassMap.";
        }
    }

    /// <summary>The names of the first few classes.</summary>
    public static string NamesOf(IReadOnlyList<int> some, ClassLabels classes) =>
        string.Join(", ", some.Take(MostNames).Select(c => $"'{classes.NameOf(c)}'")) + (some.Count > MostNames ? $" and {some.Count - MostNames} more" : "");

    private static IEnumerable<string> NeverPredicted(ClassConfusion confusion, ClassLabels classes)
    {
        int[] never = [.. confusion.Present.Except(confusion.Predicted)];
        if (never.Length > 0)
        {
            yield return Invariant(
                $"The teacher never predicts {NamesOf(never, classes)}, which {never.Sum(confusion.RowsOf):0.##} of the {confusion.Total:0.##} labelled rows it was queried for are: ") +
                "the student learns such a class from labels alone, and its teacher contradicts them. Check classNames and ClassMap; a teacher that was fitted on too few " +
                "rows of a class needs more of them.";
        }
    }

    /// <summary>Cycles of classes in which for the rows of each class mostly the next is predicted; each cycle once, from its first class on.</summary>
    private static IEnumerable<IReadOnlyList<int>> FindCycles(ClassConfusion confusion)
    {
        var next = confusion.Present.Where(c => confusion.RowsOf(c) >= FewestRows)
            .Select(c => (Class: c, As: confusion.Predicted.MaxBy(named => confusion.Cell(c, named))))
            .Where(pair => pair.As != pair.Class && confusion.Cell(pair.Class, pair.As) > confusion.RowsOf(pair.Class) / 2)
            .ToDictionary(pair => pair.Class, pair => pair.As);
        var gone = new HashSet<int>();
        foreach (var start in next.Keys.Order())
        {
            var path = new List<int>();
            for (var at = start; next.TryGetValue(at, out var to) && gone.Add(at); at = to)
                path.Add(at);
            if (path.Count > 0 && path.IndexOf(next[path[^1]]) is >= 0 and var from)
                yield return path[from..];
        }
    }

    private static string JoinNames(IReadOnlyList<string> parts) => $"{string.Join(", ", parts.Take(parts.Count - 1))} and {parts[^1]}";
}
