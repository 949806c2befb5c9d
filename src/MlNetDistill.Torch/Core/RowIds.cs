using System.Collections;

namespace MlNetDistill.Core;

/// <summary>
/// The ids of rows by position. Ids that count up by one, as data loaders number rows, take no memory; others take 16 bytes each. Positions are 64-bit.
/// </summary>
public sealed class RowIds : IEnumerable<RowId>
{
    private readonly IReadOnlyList<RowIdBlock> _blocks;
    private readonly long _first;
    private readonly long _step;

    internal RowIds(IReadOnlyList<RowIdBlock> blocks, long first, long step, long count) => (_blocks, _first, _step, Count) = (blocks, first, step, count);

    /// <summary>Number of ids.</summary>
    public long Count { get; }

    /// <summary>The id at a position.</summary>
    /// <param name="position">From 0 to <see cref="Count"/> - 1.</param>
    public RowId this[long position]
    {
        get
        {
            if ((ulong)position >= (ulong)Count)
                throw new ArgumentOutOfRangeException(nameof(position), $"The position of a row must be from 0 to {Count - 1}; was {position}.");
            var (block, row) = Math.DivRem(_first + (position * _step), RowIdBlock.Rows);
            return _blocks[(int)block][(int)row];
        }
    }

    /// <summary>Packs ids.</summary>
    /// <param name="ids">The ids in order.</param>
    public static RowIds From(IEnumerable<RowId> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var builder = new RowIdsBuilder();
        foreach (var id in ids)
            builder.Add(id);
        return builder.ToRowIds();
    }

    /// <summary>The ids at <paramref name="first"/>, <paramref name="first"/> + <paramref name="step"/> and so on; they share this object's memory.</summary>
    internal RowIds Every(long first, long step) => new(_blocks, _first + (first * _step), _step * step, Math.Max(0, (Count - first + step - 1) / step));

    /// <inheritdoc/>
    public IEnumerator<RowId> GetEnumerator()
    {
        for (var position = 0L; position < Count; position++)
            yield return this[position];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Collects ids while their number is unknown.</summary>
internal sealed class RowIdsBuilder
{
    private readonly List<RowIdBlock> _blocks = [];

    /// <summary>Number of ids so far.</summary>
    public long Count { get; private set; }

    /// <summary>An id that was added.</summary>
    public RowId this[long position] => _blocks[(int)(position / RowIdBlock.Rows)][(int)(position % RowIdBlock.Rows)];

    public void Add(RowId id)
    {
        var row = (int)(Count++ % RowIdBlock.Rows);
        if (row == 0)
            _blocks.Add(new RowIdBlock(id));
        else
            _blocks[^1].Set(row, id);
    }

    /// <summary>The ids added so far.</summary>
    public RowIds ToRowIds() => new([.. _blocks], 0, 1, Count);
}

/// <summary>Some ids side by side: the first alone while the others count up from it.</summary>
internal sealed class RowIdBlock(RowId first)
{
    // 64 KiB of ids, just too small for the heap of large objects.
    public const int Rows = 4096;

    private RowId[]? _ids;

    public RowId this[int row] => _ids is null ? Following(row) : _ids[row];

    public void Set(int row, RowId id)
    {
        if (_ids is null)
        {
            if (id == Following(row))
                return;
            var ids = new RowId[Rows];
            for (var i = 0; i < row; i++)
                ids[i] = Following(i);
            _ids = ids;
        }

        _ids[row] = id;
    }

    private RowId Following(int row) => new(first.Low + (ulong)row, first.High);
}
