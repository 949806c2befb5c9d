using MlNetDistill.Data;
using MlNetDistill.Networks;

namespace MlNetDistill.Fitting;

/// <summary>Which rows each candidate of a search is trained on: the given rows and the transfer rows of its own; one that asks no teacher, those with labels.</summary>
/// <param name="set">All rows.</param>
/// <param name="split">The rows that all candidates together are trained on.</param>
/// <param name="blocks">The transfer rows among them.</param>
internal sealed class TrialSplits(IRowSource set, DataSplit split, IReadOnlyList<AddedBlock> blocks) : IDisposable
{
    private readonly Dictionary<string, DataSplit> _made = [];

    /// <summary>The rows of a candidate.</summary>
    public DataSplit Find(DistillationOptions candidate) => candidate.Method.TeacherNeeds == ModelOutputs.None ? Labelled : Find(candidate.TransferRows);

    /// <summary>The given rows and some transfer rows.</summary>
    public DataSplit Find(TransferRows? rows)
    {
        AddedBlock[] own = [.. blocks.IntersectBy(TransferBlock.Of(rows), added => added.Block)];
        return GetOrMake(string.Join(' ', own.Select(block => block.Start)), () => split.WithAdded(own.Select(block => (block.Start, block.Count))));
    }

    private DataSplit Labelled => GetOrMake("labelled", () =>
    {
        using var given = split.WithAdded([]);
        return given.WithLabelledTraining(set);
    });

    public void Dispose()
    {
        foreach (var made in _made.Values)
            made.Dispose();
    }

    private DataSplit GetOrMake(string key, Func<DataSplit> make) => _made.TryGetValue(key, out var known) ? known : _made[key] = make();
}
