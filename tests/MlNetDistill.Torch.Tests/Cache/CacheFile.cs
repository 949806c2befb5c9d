using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using MlNetDistill.Core;

namespace MlNetDistill.Tests.Cache;

/// <summary>A reader of the file that knows its documentation only, none of the library's code.</summary>
internal sealed class CacheFile
{
    public CacheFile(byte[] bytes)
    {
        Bytes = bytes;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        Header = JsonDocument.Parse(bytes.AsMemory(12, length)).RootElement;
        HeaderBytes = 12 + length + 32;
        var (entries, rows) = (Header.GetProperty("entries").GetInt32(), Header.GetProperty("rowsPerBlock").GetInt32());
        var at = HeaderBytes;
        for (var first = 0; first < entries; first += rows)
        {
            var count = Math.Min(rows, entries - first);
            var bytesOfBlock = (count * (16 + Fields.Sum(f => f.Bytes))) + 32;
            Blocks.Add((at, bytesOfBlock, count));
            at += bytesOfBlock;
        }

        FooterStart = at;
    }

    public byte[] Bytes { get; }

    public JsonElement Header { get; }

    public int HeaderBytes { get; }

    public int FooterStart { get; }

    public List<(int Start, int Length, int Count)> Blocks { get; } = [];

    public IEnumerable<(string Name, string Type, int Values, int Bytes)> Fields => Header.GetProperty("fields").EnumerateArray().Select(f =>
    {
        var type = f.GetProperty("type").GetString()!;
        var values = f.GetProperty("dimensions").EnumerateArray().Aggregate(1, (product, d) => product * d.GetInt32());
        return (f.GetProperty("name").GetString()!, type, values, values * (type.EndsWith("32", StringComparison.Ordinal) ? 4 : 2));
    });

    public byte[] HeaderHash => SHA256.HashData(Bytes.AsSpan(0, HeaderBytes - 32));

    public byte[] BlockHash(int block) => SHA256.HashData(
        [.. HeaderHash, .. BitConverter.GetBytes((long)block), .. Bytes.AsSpan(Blocks[block].Start, Blocks[block].Length - 32)]);

    public byte[] FooterHash => SHA256.HashData([.. HeaderHash, .. Enumerable.Range(0, Blocks.Count).SelectMany(BlockHash)]);

    public RowId Id(int block, int row)
    {
        var at = Bytes.AsSpan(Blocks[block].Start + (16 * row));
        return new(BinaryPrimitives.ReadUInt64LittleEndian(at), BinaryPrimitives.ReadUInt64LittleEndian(at[8..]));
    }

    /// <summary>The values of one field of one row.</summary>
    public double[] Values(int block, int row, string field)
    {
        var (start, _, count) = Blocks[block];
        var at = start + (16 * count);
        foreach (var (name, type, values, bytes) in Fields)
        {
            if (name == field)
                return [.. Enumerable.Range(0, values).Select(i => One(Bytes.AsSpan(at + (row * bytes) + (i * bytes / values)), type))];
            at += count * bytes;
        }

        throw new ArgumentException(field);
    }

    private static double One(ReadOnlySpan<byte> at, string type) => type switch
    {
        "float32" => BinaryPrimitives.ReadSingleLittleEndian(at),
        "float16" => (double)BinaryPrimitives.ReadHalfLittleEndian(at),
        "uint16" => BinaryPrimitives.ReadUInt16LittleEndian(at),
        "uint32" => BinaryPrimitives.ReadUInt32LittleEndian(at),
        _ => throw new ArgumentException(type),
    };
}
