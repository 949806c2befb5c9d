using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher that scores the rows of a data view, such as an ML.NET model. Its outputs are cached, and joined with the training set by row id.</summary>
/// <param name="read">Reads its outputs in the order of the view: for the rows with these ids, which outputs, how many rows to skip.</param>
/// <param name="shapes">Shapes of its outputs.</param>
/// <param name="computeContentHash">A hash of everything its outputs depend on, except the rows.</param>
/// <param name="request">The fit.</param>
/// <param name="caching">How its outputs are cached.</param>
/// <param name="isResumable">Whether the same model continues a cache that an interrupted run began.</param>
/// <param name="createView">Scores a view of some rows alone; null if that costs as much as all rows.</param>
internal sealed class ScoredTeacher(
    Func<RowIdIndex, ModelOutputs, long, IEnumerable<OutputChunk>> read, OutputShapes shapes, Func<string> computeContentHash, TeacherRequest request,
    TeacherCaching caching, bool isResumable = true, Func<IDataView, string, ScoredView>? createView = null)
    : CacheableTeacher(caching)
{
    private TimeSpan _timeOnUnqueriedRows;
    private bool _isChecked;

    internal override TimeSpan TimeOnUnqueriedRows => _timeOnUnqueriedRows;

    public override OutputShapes Shapes => shapes;

    internal override bool NeedsPassPerQuery => true;

    // The cache avoids another pass through the teacher's pipeline.
    protected override bool KeepsOutputs => true;

    protected override bool IsResumable => isResumable;

    protected override string ComputeContentHash() => computeContentHash();

    protected override string ComputeDataHash(IRowSource set) => request.TeacherData ?? throw new InvalidOperationException("The teacher's columns were not hashed.");

    /// <summary>
    /// A model's bytes or name do not show that the code it runs (that of a custom mapping, for example) has changed. So the cache of an earlier run is compared with
    /// the outputs for a few rows, unless these cost as much as all rows, as for a pipeline that would have to be fitted first.
    /// </summary>
    protected override string? FindMismatch(CachedOutputs cached, IRowSource set, Func<Tensor, int, Batch>? view)
    {
        if (createView is null || _isChecked)
            return null;
        var fault = SpotCheck.FindDifference(cached, set, view, QueryNow);
        _isChecked = fault is null;
        return fault;
    }

    protected override IEnumerable<OutputChunk> EnumerateOutputs(IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, long from)
    {
        CheckRows(set, view is not null);
        // Outputs that this run computes from the first row on need no check.
        _isChecked = from == 0;
        return read(new RowIdIndex(set.RowIds, "A teacher that scores the rows of a data view"), kept, from);
    }

    /// <summary>Computes outputs for a preview of a few rows, before there is a cache.</summary>
    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
    {
        CheckRows(batch.Set, batch.View != 0);
        using var scope = NewDisposeScope();
        RowId[] ids = [.. batch.Positions.cpu().data<long>().ToArray().Select(position => batch.Set.RowIds[position])];
        var (found, parts) = (new List<RowId>(), new List<Tensor[]>());
        foreach (var chunk in ReadFew(ids.ToHashSet(), wanted | ModelOutputs.Logits))
        {
            found.AddRange(chunk.Ids);
            parts.Add([.. chunk.Parts.Select(part => part.clone())]);
        }

        var rowOf = found.Index().DistinctBy(f => f.Item).ToDictionary(f => f.Item, f => (long)f.Index);
        var order = tensor([.. ids.Select(id => rowOf.TryGetValue(id, out var row) ? row : throw new InvalidOperationException(
            $"The teacher gave no scores for row id {id}; its data view must hold the rows of the training data."))], device: CPU);
        return new NetworkOutput(Join(0), wanted.HasFlag(ModelOutputs.Embedding) ? Join(1) : null);

        Tensor Join(int part) => cat([.. parts.Select(p => p[part])]).index_select(0, order).to(batch.Features.device).MoveToOuterDisposeScope();
    }

    private IEnumerable<OutputChunk> ReadFew(HashSet<RowId> ids, ModelOutputs wanted)
    {
        if (createView is null)
            return read(RowIdIndex.OfFew(ids), wanted, 0);
        return ReadChosen();

        IEnumerable<OutputChunk> ReadChosen()
        {
            var rows = new ChosenRows(request.Data, ids);
            foreach (var chunk in createView(rows, $" of the {ids.Count} rows checked").Read(RowIdIndex.OfFew(ids), wanted, 0))
                yield return chunk;
            _timeOnUnqueriedRows += rows.TimePassing;
        }
    }

    private void CheckRows(IRowSource set, bool augmented)
    {
        if (!ReferenceEquals(set, request.Set) || augmented)
            throw new InvalidOperationException("A teacher that reads the rows of a data view answers only for the unaugmented rows of the training data.");
    }
}
