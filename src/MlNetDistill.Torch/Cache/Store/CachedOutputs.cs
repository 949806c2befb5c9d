using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A teacher's answers, looked up by position. Disposing frees tensors and closes files.</summary>
internal sealed class CachedOutputs : IDisposable
{
    private readonly CacheFileKey _key;
    private readonly OutputRows _rows;
    private readonly OutputEncoding _encoding;

    // Then a batch is what index_select gives, with nothing in between to dispose of.
    private readonly bool _asHeld;

    private Action? _freed;

    /// <summary>Takes ownership of <paramref name="rows"/>.</summary>
    /// <param name="key">What is looked up.</param>
    /// <param name="stored">What is kept; the same, or more.</param>
    /// <param name="rows">Where it is kept.</param>
    public CachedOutputs(CacheFileKey key, CacheFileKey stored, OutputRows rows)
    {
        _key = key;
        _rows = rows;
        _encoding = new OutputEncoding(stored);
        _asHeld = rows is MemoryRows && key is { Precision: CachePrecision.Single, TopK: null, AugmentedViews: 0 };
    }

    /// <summary>What the teacher can give; <see cref="Kept"/> of it is here.</summary>
    public OutputShapes Shapes => _key.Shapes;

    /// <summary>The outputs that are here.</summary>
    public ModelOutputs Kept => _key.Kept;

    /// <summary>Number of views of each row; 0 for the rows as they are.</summary>
    public int AugmentedViews => _key.AugmentedViews;

    /// <summary>Whether all is held in memory; else it is read from a file.</summary>
    public bool InMemory => _rows is MemoryRows;

    /// <summary>Bytes of answers held in memory.</summary>
    public long Bytes => _rows.Bytes;

    /// <summary>
    /// All logits in the order of the positions, N×K 32-bit floats on the device, where they are held as such: in memory, in single precision, all classes, no
    /// views. Else null. The tensor stays with this object.
    /// </summary>
    public Tensor? WholeLogits => Kept.HasFlag(ModelOutputs.Logits) && _asHeld ? _rows.Whole(0) : null;

    /// <summary>The answers for some rows: 32-bit floats on the device, in the current dispose scope.</summary>
    /// <param name="positions">Positions in the order the record was opened with, 64-bit integers on the device.</param>
    /// <param name="wanted">What is read; kept outputs only.</param>
    /// <param name="view">The view, 1 to <see cref="AugmentedViews"/>; 0 where there are none.</param>
    /// <exception cref="InvalidOperationException">Something wanted is not kept.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such view or position.</exception>
    public NetworkOutput Of(Tensor positions, ModelOutputs wanted, int view = 0)
    {
        if ((wanted & ~Kept) != ModelOutputs.None)
            throw new InvalidOperationException($"The teacher cache keeps {Kept}, not {wanted & ~Kept}.");
        if (view < Math.Min(1, AugmentedViews) || view > AugmentedViews)
            throw new ArgumentOutOfRangeException(nameof(view), $"The teacher cache has {(AugmentedViews == 0 ? "no views" : $"views 1 to {AugmentedViews}")}; view {view} was asked for.");
        if (_asHeld)
            return _encoding.Decode(field => _rows.Gather(field, positions, 0), wanted);
        using var scope = NewDisposeScope();
        var output = _encoding.Decode(field => _rows.Gather(field, positions, Math.Max(0, view - 1)), wanted);
        foreach (var tensor in output.All)
            tensor.MoveToOuterDisposeScope();
        return output;
    }

    /// <summary>Logits, with what recording takes from them taken: 32-bit floats on the CPU, in the current dispose scope.</summary>
    public Tensor LogitsAsKept(Tensor logits) => _encoding.LogitsAsKept(logits);

    /// <summary>Calls <paramref name="freed"/> once when they are disposed of.</summary>
    public CachedOutputs WhenDisposed(Action freed)
    {
        _freed = freed;
        return this;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rows.Dispose();
        _freed?.Invoke();
        _freed = null;
    }
}
