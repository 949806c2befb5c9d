using System.Security.Cryptography;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>One tensor of a file in the safetensors format: what it is, where its bytes lie behind the header, and their SHA-256.</summary>
internal sealed record TensorEntry(string Name, string Type, IReadOnlyList<long> Shape, long Begin, long End, string Sha256)
{
    // A tensor may be longer than an array can be.
    private const long ChunkElements = 1 << 22;

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

    /// <summary>The entry of a tensor on the CPU whose elements lie one after another.</summary>
    public static TensorEntry From(string name, Tensor value, long begin)
    {
        var type = Types.Single(t => t.Value.Type == value.dtype);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachChunk(value, bytes => hash.AppendData(bytes));
        return new(name, type.Key, value.shape, begin, begin + (value.numel() * type.Value.Bytes), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Why the header's words about the tensor cannot be right, or null.</summary>
    public string? FindFault(long expectedBegin, long fileBytes)
    {
        if (!Types.TryGetValue(Type, out var type))
            return $"has the unknown type {Type}";
        if (Shape.Count > 16 || Shape.Any(size => size < 0))
            return $"has the impossible shape [{string.Join(", ", Shape)}]";
        var bytes = Shape.Aggregate((Int128)type.Bytes, (product, size) => Int128.Min(product * size, long.MaxValue));
        if (Begin != expectedBegin || End > fileBytes || bytes != End - Begin)
            return $"lies at bytes {Begin} to {End} of {fileBytes}, and its shape [{string.Join(", ", Shape)}] takes {bytes} from byte {expectedBegin} on";
        return null;
    }

    /// <summary>Reads the tensor at the stream's position.</summary>
    /// <exception cref="InvalidDataException">Its bytes are not those that were written.</exception>
    public Tensor Read(Stream stream)
    {
        var value = empty([.. Shape], Types[Type].Type, CPU).DetachFromDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachChunk(value, bytes =>
        {
            stream.ReadExactly(bytes);
            hash.AppendData(bytes);
        });
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) == Sha256)
            return value;
        value.Dispose();
        throw TensorFile.Unreadable($"the tensor '{Name}' does not match its SHA-256");
    }

    /// <summary>The bytes of a tensor, piece by piece.</summary>
    public static void ForEachChunk(Tensor value, ChunkAction action)
    {
        using var scope = NewDisposeScope();
        var flat = value.reshape(-1);
        for (long from = 0; from < flat.shape[0]; from += ChunkElements)
            action(flat.narrow(0, from, Math.Min(ChunkElements, flat.shape[0] - from)).bytes);
    }

    public delegate void ChunkAction(Span<byte> bytes);
}
