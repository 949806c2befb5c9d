using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher that reads the rows of a data view, such as an ML.NET model: reached through a record, joined by row id.</summary>
/// <param name="answers">Its answers in its own order: to the rows in a set, kinds, from which entry on.</param>
/// <param name="shapes">What it gives.</param>
/// <param name="cacheKey">A hash of all that its answers depend on but the rows.</param>
/// <param name="question">What it is asked.</param>
/// <param name="recording">How its answers are kept.</param>
/// <param name="isResumable">Whether what answers now is what answered in an interrupted run.</param>
/// <param name="viewOf">Its answers to some rows alone; null where a look costs what all answers do.</param>
internal sealed class ScoredTeacher(
    Func<IReadOnlySet<RowId>, ModelOutputs, long, IEnumerable<OutputChunk>> answers, OutputShapes shapes, Func<string> cacheKey, TeacherRequest question, TeacherCaching recording,
    bool isResumable = true, Func<IDataView, string, ScoredView>? viewOf = null)
    : CacheableTeacher(recording)
{
    private TimeSpan _passing;
    private bool _isChecked;

    internal override TimeSpan TimeOnUnqueriedRows => _passing;

    public override OutputShapes Shapes => shapes;

    internal override bool NeedsPassPerQuery => true;

    // Another pass through the teacher's pipeline is what a record is there to avoid.
    protected override bool KeepsOutputs => true;

    protected override bool IsResumable => isResumable;

    protected override string ComputeContentHash() => cacheKey();

    protected override string ComputeDataHash(IRowSource set) => question.TeacherData ?? throw new InvalidOperationException("The teacher's columns were not hashed.");

    /// <summary>
    /// Neither its bytes nor a name tell that code which it runs (a custom mapping's, say) has changed: what an earlier run left is held against its answers to some
    /// rows. Where a look costs what all answers do, as with a pipeline that is yet to be fitted, the name alone must do.
    /// </summary>
    protected override string? FindMismatch(CachedOutputs answers, IRowSource set, Func<Tensor, int, Batch>? view)
    {
        if (viewOf is null || _isChecked)
            return null;
        var fault = SpotCheck.FindDifference(answers, set, view, QueryNow);
        _isChecked = fault is null;
        return fault;
    }

    protected override IEnumerable<OutputChunk> EnumerateOutputs(IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, long from)
    {
        CheckRows(set, view is not null);
        // What this run gives from the first row on is its own.
        _isChecked = from == 0;
        return answers(set.RowIds.ToHashSet(), kept, from);
    }

    /// <summary>For a look at a few rows before the record is made.</summary>
    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
    {
        CheckRows(batch.Set, batch.View != 0);
        using var scope = NewDisposeScope();
        RowId[] ids = [.. batch.Positions.cpu().data<long>().ToArray().Select(position => batch.Set.RowIds[position])];
        var (found, parts) = (new List<RowId>(), new List<Tensor[]>());
        foreach (var chunk in Look(ids.ToHashSet(), wanted | ModelOutputs.Logits))
        {
            found.AddRange(chunk.Ids);
            parts.Add([.. chunk.Parts.Select(part => part.clone())]);
        }

        var at = found.Index().DistinctBy(f => f.Item).ToDictionary(f => f.Item, f => (long)f.Index);
        var order = tensor([.. ids.Select(id => at.TryGetValue(id, out var row) ? row : throw new InvalidOperationException(
            $"The teacher gave no scores for row id {id}; its data view must hold the rows of the training data."))], device: CPU);
        Tensor Part(int part) => cat([.. parts.Select(p => p[part])]).index_select(0, order).to(batch.Features.device).MoveToOuterDisposeScope();
        return new NetworkOutput(Part(0), wanted.HasFlag(ModelOutputs.Embedding) ? Part(1) : null);
    }

    private IEnumerable<OutputChunk> Look(HashSet<RowId> asked, ModelOutputs wanted)
    {
        if (viewOf is null)
            return answers(asked, wanted, 0);
        return Chosen();

        IEnumerable<OutputChunk> Chosen()
        {
            var rows = new ChosenRows(question.Data, asked);
            var view = viewOf(rows, $" of the {asked.Count} rows checked");
            foreach (var chunk in view.Read(asked, wanted, 0))
                yield return chunk;
            _passing += rows.TimePassing;
        }
    }

    private void CheckRows(IRowSource set, bool augmented)
    {
        if (!ReferenceEquals(set, question.Set) || augmented)
            throw new InvalidOperationException("A teacher that reads the rows of a data view answers only for the unaugmented rows of the training data.");
    }
}
