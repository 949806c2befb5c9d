using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A teacher's cached outputs, read by position. Disposing frees tensors and closes files.</summary>
internal sealed class CachedOutputs : IDisposable
{
    private readonly CacheFileKey _key;
    private readonly OutputRows _rows;
    private readonly OutputEncoding _encoding;

    // Then a batch is the result of index_select, without intermediate tensors.
    private readonly bool _isUnencoded;

    /// <param name="key">The key of the outputs to read.</param>
    /// <param name="cached">The key of the cache, which may have more outputs.</param>
    /// <param name="rows">The cached rows, which are disposed with this object.</param>
    public CachedOutputs(CacheFileKey key, CacheFileKey cached, OutputRows rows)
    {
        _key = key;
        _rows = rows;
        _encoding = new OutputEncoding(cached);
        _isUnencoded = rows is MemoryRows && key is { Precision: CachePrecision.Single, TopK: null, AugmentedViews: 0 };
    }

    /// <summary>The cached outputs.</summary>
    public ModelOutputs Kept => _key.Kept;

    /// <summary>Number of views of each row; 0 for the rows as they are.</summary>
    public int AugmentedViews => _key.AugmentedViews;

    /// <summary>Whether all outputs are in memory; else they are read from a file.</summary>
    public bool InMemory => _rows is MemoryRows;

    /// <summary>Bytes of outputs in memory.</summary>
    public long Bytes => _rows.Bytes;

    /// <summary>
    /// All logits in the order of the positions, N×K 32-bit floats on the device, if they are in memory in single precision with all classes and without views;
    /// else null. The tensor is disposed with this object.
    /// </summary>
    public Tensor? WholeLogits => Kept.HasFlag(ModelOutputs.Logits) && _isUnencoded ? _rows.Whole(0) : null;

    /// <summary>Called once when this object is disposed.</summary>
    public Action? Disposed { private get; set; }

    /// <summary>Opens the outputs in a complete file, which is closed with them.</summary>
    /// <param name="file">The file.</param>
    /// <param name="layout">Its layout.</param>
    /// <param name="ids">Row ids of its first view.</param>
    /// <param name="request">The outputs to read, and their order.</param>
    /// <param name="inMemory">Whether to read all outputs into memory and close the file.</param>
    /// <exception cref="InvalidOperationException">A row is missing, or has two different outputs.</exception>
    public static CachedOutputs FromFile(FileStream file, CacheLayout layout, RowIds ids, CacheRequest request, bool inMemory)
    {
        StoredRows? stored = null;
        try
        {
            stored = new StoredRows(file, layout, request.Device);
            stored.Map = RowJoin.MapPositions(ids, request.Order, stored.HaveEqualOutputs);
            if (!inMemory)
                return new CachedOutputs(request.Key, layout.Key, stored);
            using (stored)
                return new CachedOutputs(request.Key, layout.Key, MemoryRows.Load(stored, layout, request.Key.Kept, request.Device));
        }
        catch
        {
            stored?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads the outputs of some rows: 32-bit floats on the device, in the current dispose scope.</summary>
    /// <param name="positions">Positions in the order of the request, 64-bit integers on the device.</param>
    /// <param name="wanted">The outputs to read; only cached ones.</param>
    /// <param name="view">The view, 1 to <see cref="AugmentedViews"/>; 0 if there are none.</param>
    /// <exception cref="InvalidOperationException">A wanted output is not cached.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The view or a position does not exist.</exception>
    public NetworkOutput Read(Tensor positions, ModelOutputs wanted, int view = 0)
    {
        if ((wanted & ~Kept) != ModelOutputs.None)
            throw new InvalidOperationException($"The teacher cache contains {Kept}, not {wanted & ~Kept}.");
        if (view < Math.Min(1, AugmentedViews) || view > AugmentedViews)
            throw new ArgumentOutOfRangeException(nameof(view), $"The teacher cache has {(AugmentedViews == 0 ? "no views" : $"views 1 to {AugmentedViews}")}; view {view} was requested.");
        if (_isUnencoded)
            return _encoding.Decode(field => _rows.Gather(field, positions, 0), wanted);
        using var scope = NewDisposeScope();
        var output = _encoding.Decode(field => _rows.Gather(field, positions, Math.Max(0, view - 1)), wanted);
        foreach (var tensor in output.All)
            tensor.MoveToOuterDisposeScope();
        return output;
    }

    /// <summary>Logits with the precision of the cache: 32-bit floats on the CPU, in the current dispose scope.</summary>
    public Tensor RoundLogits(Tensor logits) => _encoding.RoundLogits(logits);

    /// <inheritdoc/>
    public void Dispose()
    {
        _rows.Dispose();
        Disposed?.Invoke();
        Disposed = null;
    }
}
