using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>Hashes the values of rows, without their ids and positions, to find rows of one set in another.</summary>
internal static class RowHashes
{
    private const int MostRows = 1024;

    private delegate ulong RowHash<T>(ReadOnlySpan<T> row);

    /// <summary>Hashes the features at some positions of a training set.</summary>
    public static IEnumerable<ulong> ComputeForSet(IRowSource set, Tensor positions) =>
        set is ISparseSource sparse ? ISparseSource.Enumerate(positions).Select(position => ComputeForStored(sparse, position)) : ComputeForRows(set, positions);

    private static IEnumerable<ulong> ComputeForRows(IRowSource set, Tensor positions)
    {
        foreach (var chunk in Chunks.Split(positions, Chunks.RowsAtATime(set, MostRows)))
        {
            foreach (var hash in ComputeForChunk(set, chunk))
                yield return hash;
        }
    }

    /// <summary>Hashes a feature column, with the same result as for a training set that was read from it.</summary>
    public static IEnumerable<ulong> ComputeForFeatures(IDataView data, DataViewSchema.Column features, RowLayout layout) =>
        ((VectorDataViewType)features.Type).ItemType.RawType == typeof(byte)
            ? ComputeForFeatures<byte>(data, features, layout, row => Compute(row))
            : ComputeForFeatures<float>(data, features, layout, row => ComputeForFloats(row));

    /// <summary>Hashes the values of some columns.</summary>
    public static IEnumerable<ulong> ComputeForColumns(IDataView data, IReadOnlyList<DataViewSchema.Column> columns)
    {
        using var cursor = data.GetRowCursor(columns);
        var bytes = new RowBytes(cursor, columns);
        while (cursor.MoveNext())
            yield return Compute(bytes.ReadRow());
    }

    private static IEnumerable<ulong> ComputeForFeatures<T>(IDataView data, DataViewSchema.Column features, RowLayout layout, RowHash<T> compute)
        where T : unmanaged
    {
        using var cursor = data.GetRowCursor([features]);
        var get = cursor.GetGetter<VBuffer<T>>(features);
        VBuffer<T> values = default;
        var row = new T[layout.Shape.Length];
        while (cursor.MoveNext())
        {
            get(ref values);
            // A row of another length was not trained on. If it were copied, values of an earlier row would remain in the array.
            if (values.Length != row.Length)
                continue;
            layout.Copy(values, row);
            yield return compute(row);
        }
    }

    private static ulong[] ComputeForChunk(IRowSource set, Tensor chunk)
    {
        using var scope = NewDisposeScope();
        var bytes = set.Gather(chunk, CPU).contiguous().bytes;
        var hashes = new ulong[chunk.shape[0]];
        var width = bytes.Length / hashes.Length;
        for (var row = 0; row < hashes.Length; row++)
            hashes[row] = set.IsByte ? Compute(bytes.Slice(row * width, width)) : ComputeForFloats(MemoryMarshal.Cast<byte, float>(bytes.Slice(row * width, width)));
        return hashes;
    }

    private static ulong ComputeForStored(ISparseSource set, long position)
    {
        var hash = new ElementHash();
        set.ReadStored(position, (columns, values) => hash.Add(columns, values));
        return hash.Value;
    }

    private static ulong ComputeForFloats(ReadOnlySpan<float> row)
    {
        var hash = new ElementHash();
        hash.Add(row);
        return hash.Value;
    }

    private static ulong Compute(ReadOnlySpan<byte> row)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(row, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
