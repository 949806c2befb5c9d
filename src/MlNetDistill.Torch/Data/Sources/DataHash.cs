using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// A hash of rows that does not depend on their order: the SHA-256 of each row (16 bytes of its id, low half first, then the bytes of its values) as four
/// 64-bit numbers, summed over the rows number by number modulo 2^64. It detects data that differ by mistake, not forgery.
/// </summary>
internal sealed class DataHash : IDisposable
{
    private static readonly ConditionalWeakTable<IRowSource, string> Known = [];
    private static readonly byte[] Zeros = new byte[1 << 14];
    private readonly IncrementalHash _row = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ulong[] _lanes = new ulong[4];
    private long _rows;

    /// <summary>Number of rows and their hash: 64 hexadecimal digits.</summary>
    public string Value => FormattableString.Invariant($"{_rows} rows {string.Concat(_lanes.Select(lane => lane.ToString("x16")))}");

    /// <summary>
    /// The hash of a source's features and row ids, with their type and shape; labels and weights are left out, because no teacher reads them. Computed once for each
    /// source, because every anchor of a route needs it.
    /// </summary>
    public static string Compute(IRowSource rows) => Known.GetValue(rows, HashRows);

    private static string HashRows(IRowSource rows)
    {
        using var hash = new DataHash();
        if (rows is ISparseSource sparse)
        {
            hash.AddStored(rows, sparse);
            return $"{rows.ElementType} {rows.Shape} {hash.Value}";
        }

        using var all = TensorArithmetic.Range(rows.Count, CPU).DetachFromDisposeScope();
        var from = 0L;
        foreach (var positions in Chunks.Split(all, Chunks.RowsAtATime(rows)))
        {
            using var scope = NewDisposeScope();
            hash.Add(rows.RowIds, from, rows.Gather(positions, CPU).contiguous(), (int)rows.RowBytes);
            from += positions.shape[0];
        }

        return $"{rows.ElementType} {rows.Shape} {hash.Value}";
    }

    /// <summary>Adds a row whose values lie in one piece.</summary>
    public void Add(RowId id, ReadOnlySpan<byte> row)
    {
        Begin(id);
        Append(row);
        End();
    }

    /// <summary>Begins a row whose values are added in pieces.</summary>
    public void Begin(RowId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, id.Low);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], id.High);
        _row.AppendData(bytes);
    }

    /// <summary>Adds the next values of the row that was begun. The hash does not depend on the pieces.</summary>
    public void Append(ReadOnlySpan<byte> values) => _row.AppendData(values);

    /// <summary>Ends the row that was begun.</summary>
    public void End()
    {
        Span<byte> hash = stackalloc byte[32];
        _row.GetHashAndReset(hash);
        for (var lane = 0; lane < 4; lane++)
            _lanes[lane] += BinaryPrimitives.ReadUInt64LittleEndian(hash[(8 * lane)..]);
        _rows++;
    }

    public void Dispose() => _row.Dispose();

    // The sum does not depend on the order, so all processors can share the work: for short rows the hash costs more than the outputs of a small teacher.
    private void Add(RowIds ids, long from, Tensor values, int rowBytes) => Parallel.ForEach(
        Partitioner.Create(0, (int)values.shape[0]),
        () => new DataHash(),
        (range, _, own) =>
        {
            var bytes = values.bytes;
            for (var row = range.Item1; row < range.Item2; row++)
                own.Add(ids[from + row], bytes.Slice(row * rowBytes, rowBytes));
            return own;
        },
        Add);

    // The zeros between the elements belong to the hash, and are not written out for it.
    private void AddStored(IRowSource rows, ISparseSource sparse) => Parallel.ForEach(
        Partitioner.Create(0, rows.Count),
        () => new DataHash(),
        (range, _, own) =>
        {
            var next = 0;
            for (var row = range.Item1; row < range.Item2; row++)
            {
                next = 0;
                own.Begin(rows.RowIds[row]);
                sparse.ReadStored(row, Append);
                own.AppendZeros(rows.Shape.Length - next);
                own.End();
            }

            return own;

            void Append(ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
            {
                for (var i = 0; i < columns.Length; i++)
                {
                    own.AppendZeros(columns[i] - next);
                    own.Append(MemoryMarshal.AsBytes(values.Slice(i, 1)));
                    next = columns[i] + 1;
                }
            }
        },
        Add);

    private void AppendZeros(int floats)
    {
        for (var bytes = (long)floats * sizeof(float); bytes > 0; bytes -= Zeros.Length)
            Append(Zeros.AsSpan(0, (int)Math.Min(bytes, Zeros.Length)));
    }

    private void Add(DataHash part)
    {
        lock (_lanes)
        {
            for (var lane = 0; lane < 4; lane++)
                _lanes[lane] += part._lanes[lane];
            _rows += part._rows;
        }

        part.Dispose();
    }
}
