using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>
/// Collects rows of equal size in a tensor. If their number is known, they are written into the final tensor. Otherwise they are written into blocks, and each block
/// is freed as soon as it was copied into the final tensor, so that memory holds all rows once and one block twice.
/// </summary>
/// <param name="type">The tensor's type, that of <typeparamref name="T"/>.</param>
/// <param name="rowShape">Shape of one row; none for a single value.</param>
/// <param name="expectedRows">Number of rows if it is known; there may be fewer or more.</param>
/// <param name="what">What messages call the rows.</param>
/// <param name="memory">Bytes that this process may use; null for the machine's memory or the limit of its container.</param>
internal sealed class TensorBuilder<T>(ScalarType type, long[] rowShape, long? expectedRows = null, string what = "The rows", long? memory = null) : IDisposable
    where T : unmanaged
{
    // A call into torch costs more than copying a row, so several rows are copied at a time.
    private const int StagedBytes = 1 << 18;
    private const long FirstBlockBytes = 1L << 20;

    // Large enough that the C library returns the memory to the system when the block is freed.
    private const long LargestBlockBytes = 64L << 20;

    private readonly int _width = checked((int)rowShape.Aggregate(1L, (product, d) => product * d));
    private readonly List<Tensor> _blocks = [];
    private T[] _staged = [];
    private int _stagedRows;
    private long _free;

    /// <summary>Rows so far.</summary>
    public long Rows { get; private set; }

    private long RowBytes => (long)_width * Unsafe.SizeOf<T>();

    /// <summary>Memory for the next row, to be filled before the next call.</summary>
    public Span<T> NextRow()
    {
        if (_staged.Length == 0)
            _staged = new T[Math.Max(1, StagedBytes / RowBytes) * _width];
        if (_stagedRows * _width == _staged.Length)
            Flush();
        Rows++;
        return _staged.AsSpan(_stagedRows++ * _width, _width);
    }

    /// <summary>Adds a row of one value.</summary>
    public void Add(T value) => NextRow()[0] = value;

    /// <summary>All rows as one tensor on the CPU, rows×(shape of a row), which is the caller's. Empties the builder.</summary>
    public Tensor ToTensor()
    {
        Flush();
        // A view keeps all memory of its tensor. If more than half of it is unused, a copy needs less.
        var isFilled = _blocks is [var only] && 2 * Rows >= only.shape[0];
        var result = isFilled ? _blocks[0].narrow(0, 0, Rows) : JoinBlocks();
        Dispose();
        return result.DetachFromDisposeScope();
    }

    /// <summary>All rows in order, as one tensor after the other; each is freed when the next is asked for. Empties the builder.</summary>
    public IEnumerable<Tensor> TakeParts()
    {
        Flush();
        var left = Rows;
        foreach (var block in _blocks)
        {
            using var part = block.narrow(0, 0, Math.Min(block.shape[0], left)).DetachFromDisposeScope();
            left -= part.shape[0];
            yield return part;
            block.Dispose();
        }

        Dispose();
    }

    public void Dispose()
    {
        _blocks.ForEach(block => block.Dispose());
        _blocks.Clear();
        _staged = [];
    }

    private void Flush()
    {
        for (var from = 0; from < _stagedRows;)
        {
            if (_free == 0)
                AddBlock();
            var rows = (int)Math.Min(_stagedRows - from, _free);
            using var target = _blocks[^1].narrow(0, _blocks[^1].shape[0] - _free, rows);
            MemoryMarshal.AsBytes(_staged.AsSpan(from * _width, rows * _width)).CopyTo(target.bytes);
            from += rows;
            _free -= rows;
        }

        _stagedRows = 0;
    }

    private void AddBlock()
    {
        var bytes = Math.Min(FirstBlockBytes << Math.Min(_blocks.Count, 30), LargestBlockBytes);
        var free = (memory ?? RowMemory.Available) - Environment.WorkingSet;
        // A number of rows that does not fit into memory is ignored: some of them may be left out.
        var isExpected = _blocks.Count == 0 && expectedRows <= free / RowBytes;
        _free = Math.Max(1, isExpected ? expectedRows!.Value : bytes / RowBytes);
        if (_free * RowBytes > free)
            throw CreateError(null);
        _blocks.Add(Allocate(_free).DetachFromDisposeScope());
    }

    // The system provides memory page by page when it is written to, so rows that never come need none.
    private Tensor Allocate(long rows)
    {
        try
        {
            return empty([rows, .. rowShape], type, CPU);
        }
        catch (ExternalException e) when (e.Message.Contains("allocate memory", StringComparison.Ordinal))
        {
            throw CreateError(e);
        }
    }

    private InvalidOperationException CreateError(Exception? cause)
    {
        var count = Math.Max(Rows, expectedRows ?? 0);
        return RowMemory.CreateError(what, count, (Int128)count * RowBytes, memory, cause);
    }

    private Tensor JoinBlocks()
    {
        var result = Allocate(Rows);
        var start = 0L;
        foreach (var block in _blocks)
        {
            var rows = Math.Min(block.shape[0], Rows - start);
            using var source = block.narrow(0, 0, rows);
            using var target = result.narrow(0, start, rows);
            target.copy_(source);
            block.Dispose();
            start += rows;
        }

        return result;
    }
}
