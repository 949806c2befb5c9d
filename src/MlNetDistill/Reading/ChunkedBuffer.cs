using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>Rows of equal width, collected while their number is unknown: in chunks, so that growing copies nothing.</summary>
internal sealed class ChunkedBuffer<T>(int width)
    where T : unmanaged
{
    private const int ChunkValues = 1 << 20;
    private readonly int _rowsPerChunk = Math.Max(1, ChunkValues / width);
    private readonly List<T[]> _chunks = [];
    private int _rowsInLast;

    public long Rows => _chunks.Count == 0 ? 0 : ((_chunks.Count - 1L) * _rowsPerChunk) + _rowsInLast;

    /// <summary>Room for one more row.</summary>
    public Span<T> NextRow()
    {
        if (_chunks.Count == 0 || _rowsInLast == _rowsPerChunk)
        {
            _chunks.Add(new T[(long)_rowsPerChunk * width]);
            _rowsInLast = 0;
        }

        return _chunks[^1].AsSpan(_rowsInLast++ * width, width);
    }

    /// <summary>All rows in one array; for vectors of class scores, which are small.</summary>
    /// <exception cref="InvalidOperationException">There are more values than an array can hold.</exception>
    public T[] ToArray()
    {
        if (Rows * width > Array.MaxLength)
        {
            throw new InvalidOperationException(
                $"{Rows} rows of {width} scores are more than the {Array.MaxLength} values that are kept in memory; train on fewer rows.");
        }

        var all = new T[Rows * width];
        long at = 0;
        foreach (var (chunk, values) in Filled())
        {
            Array.Copy(chunk, 0, all, at, values);
            at += values;
        }

        return all;
    }

    /// <summary>All rows as a tensor rows×shape. Empties the buffer chunk by chunk, so that memory holds the rows little more than once.</summary>
    public Tensor ToTensor(ScalarType type, long[] shape)
    {
        var result = empty([Rows, .. shape], type, CPU).DetachFromDisposeScope();
        long at = 0;
        var flat = result.view(-1);
        foreach (var (chunk, values) in Filled())
        {
            using var target = flat.narrow(0, at, values);
            MemoryMarshal.AsBytes(chunk.AsSpan(0, values)).CopyTo(target.bytes);
            at += values;
        }

        flat.Dispose();
        _chunks.Clear();
        return result;
    }

    private IEnumerable<(T[] Chunk, int Values)> Filled()
    {
        for (var i = 0; i < _chunks.Count; i++)
        {
            var chunk = _chunks[i];
            var values = (i == _chunks.Count - 1 ? _rowsInLast : _rowsPerChunk) * width;
            yield return (chunk, values);
            _chunks[i] = [];
        }
    }
}
