using System.Globalization;
using System.Security.Cryptography;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>The entry of a tensor in the header of a safetensors file: type, shape, position of its bytes after the header, and their SHA-256.</summary>
internal sealed record TensorEntry(string Name, string Type, IReadOnlyList<long> Shape, long Begin, long End, string Sha256)
{
    // A tensor may have more bytes than a span can.
    private const long ChunkElements = 1 << 22;

    private const int MostDimensions = 16;

    private static readonly Dictionary<string, (ScalarType Type, int Bytes)> Types = new()
    {
        ["BOOL"] = (ScalarType.Bool, 1),
        ["U8"] = (ScalarType.Byte, 1),
        ["I8"] = (ScalarType.Int8, 1),
        ["I16"] = (ScalarType.Int16, 2),
        ["I32"] = (ScalarType.Int32, 4),
        ["I64"] = (ScalarType.Int64, 8),
        ["F16"] = (ScalarType.Float16, 2),
        ["BF16"] = (ScalarType.BFloat16, 2),
        ["F32"] = (ScalarType.Float32, 4),
        ["F64"] = (ScalarType.Float64, 8),
    };

    // Damaged files have negative numbers, which cultures write in different ways.
    private string ShapeText => string.Join(", ", Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Creates the entry of a contiguous tensor on the CPU.</summary>
    public static TensorEntry From(string name, Tensor value, long begin)
    {
        var type = Types.Single(t => t.Value.Type == value.dtype);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachChunk(value, bytes => hash.AppendData(bytes));
        return new(name, type.Key, value.shape, begin, begin + (value.numel() * type.Value.Bytes), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>What is wrong with the entry, as the end of a sentence; null if nothing is.</summary>
    public string? FindFault(long expectedBegin, long fileBytes)
    {
        if (!Types.TryGetValue(Type, out var type))
            return $"has the unknown type {Type}";
        if (Shape.Count > MostDimensions)
            return Invariant($"has {Shape.Count} dimensions, and may have {MostDimensions}");
        // A dimension of 0 takes no bytes, but libtorch multiplies the others, too.
        if (Shape.Any(size => size < 0) || Shape.Aggregate((Int128)type.Bytes, (product, size) => Int128.Min(product * Math.Max(1, size), long.MaxValue)) == long.MaxValue)
            return $"has the impossible shape [{ShapeText}]";
        var bytes = Shape.Aggregate((Int128)type.Bytes, (product, size) => product * size);
        if (Begin != expectedBegin || End < Begin || End > fileBytes || bytes != End - Begin)
            return Invariant($"has the bytes {Begin} to {End} of {fileBytes}, but its shape [{ShapeText}] needs {bytes} bytes from byte {expectedBegin} on");
        return null;
    }

    /// <summary>Reads the tensor at the stream's position.</summary>
    /// <exception cref="InvalidDataException">Its bytes are not those that were written.</exception>
    public Tensor Read(Stream stream)
    {
        var value = empty([.. Shape], Types[Type].Type, CPU).DetachFromDisposeScope();
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            ForEachChunk(value, bytes =>
            {
                stream.ReadExactly(bytes);
                hash.AppendData(bytes);
            });
            return Convert.ToHexStringLower(hash.GetHashAndReset()) == Sha256 ? value : throw TensorFile.CreateReadError($"the tensor '{Name}' does not match its SHA-256");
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    /// <summary>Passes the bytes of a tensor to <paramref name="action"/> in chunks.</summary>
    public static void ForEachChunk(Tensor value, ChunkAction action)
    {
        using var scope = NewDisposeScope();
        var flat = value.reshape(-1);
        for (long from = 0; from < flat.shape[0]; from += ChunkElements)
            action(flat.narrow(0, from, Math.Min(ChunkElements, flat.shape[0] - from)).bytes);
    }

    public delegate void ChunkAction(Span<byte> bytes);
}
