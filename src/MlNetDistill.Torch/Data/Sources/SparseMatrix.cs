namespace MlNetDistill.Data;

/// <summary>
/// Rows of which only the elements other than 0 are stored, 8 bytes each, and 8 bytes for each row. The elements are in blocks that are never copied, so that adding
/// rows takes no more memory than the rows themselves.
/// </summary>
/// <param name="width">Elements of a row.</param>
internal sealed class SparseMatrix(int width)
{
    private const int BlockBits = 18;
    private const int BlockLength = 1 << BlockBits;
    private readonly List<(int[] Columns, float[] Values)> _blocks = [];
    private readonly List<long> _ends = [];

    /// <summary>Elements of a row.</summary>
    public int Width { get; } = width;

    /// <summary>Number of rows.</summary>
    public long Rows => _ends.Count;

    /// <summary>Number of elements stored.</summary>
    public long Stored { get; private set; }

    /// <summary>Bytes of the rows.</summary>
    public long Bytes => (Stored * (sizeof(int) + sizeof(float))) + (Rows * sizeof(long));

    /// <summary>Adds a row of which all elements are given.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        for (var column = 0; column < values.Length; column++)
            Store(column, values[column]);
        _ends.Add(Stored);
    }

    /// <summary>Adds a row of which some elements are given.</summary>
    /// <param name="columns">Their places, ascending.</param>
    /// <param name="values">The elements.</param>
    public void Add(ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
    {
        for (var i = 0; i < values.Length; i++)
            Store(columns[i], values[i]);
        _ends.Add(Stored);
    }

    /// <summary>Writes the elements of a row that are not 0.</summary>
    public void CopyTo(long row, Span<float> zeros)
    {
        var (at, end) = Range(row);
        while (at < end)
        {
            var (columns, values) = _blocks[(int)(at >> BlockBits)];
            var from = (int)(at & (BlockLength - 1));
            var to = (int)Math.Min(BlockLength, from + (end - at));
            for (var i = from; i < to; i++)
                zeros[columns[i]] = values[i];
            at += to - from;
        }
    }

    /// <summary>Reads the stored elements of a row, block by block.</summary>
    public void ReadStored(long row, StoredElements read)
    {
        var (at, end) = Range(row);
        while (at < end)
        {
            var (columns, values) = _blocks[(int)(at >> BlockBits)];
            var from = (int)(at & (BlockLength - 1));
            var count = (int)Math.Min(BlockLength - from, end - at);
            read(columns.AsSpan(from, count), values.AsSpan(from, count));
            at += count;
        }
    }

    /// <summary>An element.</summary>
    public float this[long row, int column]
    {
        get
        {
            var (low, end) = Range(row);
            var high = end - 1;
            while (low <= high)
            {
                var middle = low + ((high - low) / 2);
                var (columns, values) = _blocks[(int)(middle >> BlockBits)];
                var found = columns[middle & (BlockLength - 1)];
                if (found == column)
                    return values[middle & (BlockLength - 1)];
                (low, high) = found < column ? (middle + 1, high) : (low, middle - 1);
            }

            return 0;
        }
    }

    /// <summary>The elements of a row: the first, and the first of the next row.</summary>
    private (long Start, long End) Range(long row)
    {
        var index = checked((int)row);
        return (index == 0 ? 0 : _ends[index - 1], _ends[index]);
    }

    private void Store(int column, float value)
    {
        // Minus zero is stored, so that the row is the same bit for bit.
        if (BitConverter.SingleToUInt32Bits(value) == 0)
            return;
        var at = (int)(Stored & (BlockLength - 1));
        if (at == 0)
            _blocks.Add((new int[BlockLength], new float[BlockLength]));
        var (columns, values) = _blocks[^1];
        (columns[at], values[at]) = (column, value);
        Stored++;
    }
}
