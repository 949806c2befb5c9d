using MlNetDistill.Losses;
using MlNetDistill.Methods;

namespace MlNetDistill.Tests.Support;

/// <summary>The table of docs/methods/index.md that says what each method can be combined with.</summary>
internal static class CompositionTable
{
    private const string Yes = "yes", No = "no";
    private static readonly string[] Columns = ["RCO", "RCO in one stage", "example weights", "no labels", "augmentation", "mixup", "cache", "ML.NET model"];
    private static readonly Dictionary<string, Dictionary<string, string>> Cells = Read();

    /// <summary>The methods of the table that are not made of others, and some settings that change what they can be combined with.</summary>
    public static IReadOnlyList<(string Name, DistillationMethod Method)> Methods { get; } =
    [
        .. EveryMethod.All.Where(m => !m.Method.NeedsRoute && m.Name != "Graph KD of neighbours"),
        ("Graph KD within classes", DistillationMethod.GraphKd(edges: GraphEdges.SameClass)),
        ("DKD", DistillationMethod.FromLoss("DKD", new CrossEntropyLoss() + new DkdLoss(4))),
        ("RKD", DistillationMethod.FromLoss("RKD", new CrossEntropyLoss() + new RkdLoss())),
    ];

    /// <summary>Whether the table says that a method can be combined with what a column names.</summary>
    public static bool Allows(string method, string column) => Cells[method][column] == Yes;

    public static void Check()
    {
        Assert.That(Cells.Keys, Is.EquivalentTo(Methods.Select(m => m.Name)));
        foreach (var (method, cells) in Cells)
        {
            Assert.That(cells.Keys, Is.EqualTo(Columns), method);
            Assert.That(cells.Values, Is.All.EqualTo(Yes).Or.EqualTo(No), method);
        }
    }

    private static Dictionary<string, Dictionary<string, string>> Read()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "methods", "index.md"));
        var table = lines.SkipWhile(line => !line.StartsWith("## What composes with what", StringComparison.Ordinal)).SkipWhile(line => !line.StartsWith('|')).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)).ToList();
        return table.Skip(2).ToDictionary(row => row[0], row => table[0].Skip(1).Zip(row.Skip(1)).ToDictionary(cell => cell.First, cell => cell.Second));
    }
}
