using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// A teacher that computes its outputs once. If the cache keeps everything that a stage reads, the outputs of all rows are computed before the first step and
/// then looked up. Stage features, which need the memory of all activations, and new views of rows are computed in every step.
/// </summary>
internal abstract class CacheableTeacher(TeacherCaching caching) : StageTeacher, IDisposable
{
    private CachedOutputs? _cached;
    private SoftenedLogits? _softened;
    private IRowSource? _set;
    private PreviewedOutputs? _preview;

    internal override bool SharesPreview => _preview is not null;

    internal override bool HasCachedOutputs => _cached is { AugmentedViews: 0 };

    /// <summary>How its outputs are cached.</summary>
    protected TeacherCaching TeacherCaching => caching;

    /// <summary>Whether computing the outputs is so expensive that they are kept from stage to stage.</summary>
    protected virtual bool KeepsOutputs => false;

    /// <summary>Whether a cache begun by an interrupted run may be continued: whether the teacher is certain to be the same.</summary>
    protected virtual bool IsResumable => true;

    /// <summary>Whether its cache begins with rows spread evenly over all rows, so that a preview of these rows is the beginning of the cache.</summary>
    protected virtual bool QueriesSpreadRowsFirst => false;

    internal override void BeginPreview(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        if (!QueriesSpreadRowsFirst || view is not null || !caching.Options.Keeps(wanted, false))
            return;
        if (IsCached(set, wanted))
            Begin(set, wanted, null);
        else
            _preview = new PreviewedOutputs(set, GetKeptOutputs(wanted));
    }

    public override void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        if (!caching.Options.Keeps(wanted, view is not null))
            return;
        var views = view is null ? 0 : caching.Options.AugmentedViews;
        if (ReferenceEquals(_set, set) && _cached is { } cached && cached.AugmentedViews == views && (wanted & ~cached.Kept) == ModelOutputs.None)
            return;
        ReleaseCache();
        caching.LastTeacher?.ReleaseCache();
        caching.LastTeacher = null;
        _cached = OpenCache(set, GetKeptOutputs(wanted), view, views);
        _preview?.Dispose();
        _preview = null;
        _softened = _cached.WholeLogits is { } whole ? new SoftenedLogits(whole, caching.Store.RemainingMemory) : null;
        _set = set;
    }

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        if (FindCached(batch) is { } cached && (wanted & ~cached.Kept) == ModelOutputs.None)
            return cached.Read(batch.Positions, wanted, batch.View);
        if (batch.View != 0 || _preview is not { } preview || !preview.IsOf(batch.Set))
            return QueryNow(batch, wanted);
        // Counted when the cache takes the outputs over.
        var output = ComputeOutputs(batch, wanted | preview.Kept);
        preview.Keep(batch, output);
        return output;
    }

    internal override Tensor? TryGetLogProbabilities(Batch batch, double temperature) =>
        FindCached(batch) is null ? null : _softened?.Get(temperature, batch.Positions);

    public override void End()
    {
        if (KeepsOutputs)
            return;
        // Later stages may read them too, until another teacher is used.
        if (_cached?.Kept.HasFlag(ModelOutputs.StageFeatures) == true)
            caching.LastTeacher = this;
        else
            ReleaseCache();
    }

    internal override void Release() => ReleaseCache();

    public virtual void Dispose()
    {
        ReleaseCache();
        _preview?.Dispose();
        _preview = null;
    }

    /// <summary>A hash of everything its outputs depend on, except the rows.</summary>
    protected abstract string ComputeContentHash();

    /// <summary>A hash of the data that it reads.</summary>
    protected virtual string ComputeDataHash(IRowSource set) => DataHash.Compute(set);

    /// <summary>Computes its outputs for a batch.</summary>
    protected abstract NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted);

    /// <summary>Describes how a cache of an earlier run differs from what the teacher computes now; null if they agree.</summary>
    protected virtual string? FindMismatch(CachedOutputs cached, IRowSource set, Func<Tensor, int, Batch>? view) => SpotCheck.FindDifference(cached, set, view, QueryNow);

    /// <summary>Its outputs for all rows, in its own order, from entry <paramref name="from"/> on: view after view, all rows of each.</summary>
    protected virtual IEnumerable<OutputChunk> EnumerateOutputs(IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, long from) =>
        LiveOutputs.Enumerate(
            set, kept, view, caching, from, ComputeOutputs, QueriesSpreadRowsFirst ? QueryOrder.Create(set.Count) : null,
            view is null && _preview is { } preview && preview.IsOf(set) && preview.Kept == kept ? preview.Take : null);

    /// <summary>Whether a complete or partial cache of an earlier run will be used, or only an existing cache may be used.</summary>
    protected bool IsCached(IRowSource set, ModelOutputs wanted) =>
        caching.IsPersistent && caching.Options.Keeps(wanted, false) && caching.Store.UsesExisting(CreateKey(set, GetKeptOutputs(wanted), 0));

    /// <summary>The first batch in the <see cref="QueryOrder"/>.</summary>
    protected Batch FirstBatch(IRowSource set) =>
        Batch.Gather(set, tensor([.. QueryOrder.Create(set.Count).Take(caching.BatchSize)], device: set.Device));

    /// <summary>Computes its outputs for a batch and counts the rows.</summary>
    protected NetworkOutput QueryNow(Batch batch, ModelOutputs wanted)
    {
        // Reading the shape costs an allocation.
        if (DistillationInstruments.TeacherRows.Enabled)
            DistillationInstruments.TeacherRows.Add(batch.Positions.shape[0]);
        return ComputeOutputs(batch, wanted);
    }

    private CachedOutputs? FindCached(Batch batch)
    {
        if (_cached is not { } cached || !ReferenceEquals(batch.Set, _set))
            return null;
        return batch.View >= Math.Min(1, cached.AugmentedViews) && batch.View <= cached.AugmentedViews ? cached : null;
    }

    private ModelOutputs GetKeptOutputs(ModelOutputs wanted) => (wanted | ModelOutputs.Logits) & Provides;

    private CachedOutputs OpenCache(IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, int views)
    {
        var key = CreateKey(set, kept, views);
        using var noGrad = no_grad();
        return caching.Store.Open(new(key, set.RowIds, set.Labels.device, from => EnumerateOutputs(set, kept, view, from))
        {
            FindMismatch = cached => FindMismatch(cached, set, view),
            IsResumable = IsResumable,
        });
    }

    private CacheFileKey CreateKey(IRowSource set, ModelOutputs kept, int views) => new()
    {
        // Hashes identify caches in a folder; a cache in memory needs none.
        Teacher = caching.IsPersistent ? ComputeContentHash() : "",
        Data = !caching.IsPersistent ? "" : caching.Options.CacheKey ?? ComputeDataHash(set),
        Rows = set.Count,
        Classes = caching.Classes,
        Shapes = Shapes,
        Kept = kept,
        Precision = caching.Options.Precision,
        TopK = caching.Options.TopK,
        AugmentedViews = views,
        Augmentation = views == 0 ? null : caching.Augmentation,
    };

    private void ReleaseCache()
    {
        _softened?.Dispose();
        _cached?.Dispose();
        (_softened, _cached, _set) = (null, null, null);
    }
}
