using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Named tensors and a text in one file of the safetensors format: the length of a JSON header (8 bytes), the header, the tensors' bytes. The header's metadata
/// hold the text, the SHA-256 of every tensor, and one over all of these.
/// </summary>
internal static class TensorFile
{
    private const string Version = "1";

    // The format's own limit.
    private const long MostHeaderBytes = 100_000_000;

    // Without escapes that only pages of HTML need, and as every writer of the format aligns it.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Stream stream, IReadOnlyDictionary<string, Tensor> tensors, string text)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var leaves = new List<TensorLeaf>();
        var values = new List<Tensor>();
        // The largest elements first, so that each tensor is aligned.
        foreach (var (name, tensor) in tensors.OrderByDescending(t => t.Value.ElementSize).ThenBy(t => t.Key, StringComparer.Ordinal))
        {
            var value = tensor.detach().cpu().contiguous();
            leaves.Add(TensorLeaf.From(name, value, leaves.Count == 0 ? 0 : leaves[^1].End));
            values.Add(value);
        }

        var header = Header(leaves, text);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var value in values)
            TensorLeaf.ForEachChunk(value, bytes => stream.Write(bytes));
    }

    /// <summary>The tensors, on the CPU, and the text. The caller disposes the tensors.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or is none of these.</exception>
    public static (IReadOnlyDictionary<string, Tensor> Tensors, string Text) Read(Stream stream)
    {
        if (!stream.CanSeek)
            throw new ArgumentException("The stream must be able to seek, so that its length is known; found one that cannot. Read it into a MemoryStream first.", nameof(stream));
        var rest = stream.Length - stream.Position - 8;
        Span<byte> prefix = stackalloc byte[8];
        if (rest < 0)
            throw Unreadable("it ends within its first 8 bytes");
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length < 2 || length > Math.Min(rest, MostHeaderBytes))
            throw Unreadable(FormattableString.Invariant($"its header cannot be {length} bytes long"));
        var header = new byte[length];
        stream.ReadExactly(header);
        var (leaves, text) = Parse(header);
        Check(leaves, rest - length);
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var leaf in leaves)
                tensors.Add(leaf.Name, leaf.Read(stream));
        }
        catch
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            throw;
        }

        return (tensors, text);
    }

    public static InvalidDataException Unreadable(string fault, Exception? cause = null) =>
        new($"The file of a training state cannot be read: {fault}. Give the file as it was written by this version, or train from the beginning.", cause);

    private static void Check(IReadOnlyList<TensorLeaf> leaves, long bytes)
    {
        var end = 0L;
        foreach (var leaf in leaves)
        {
            if (leaf.Fault(end, bytes) is { } fault)
                throw Unreadable($"the tensor '{leaf.Name}' {fault}");
            end = leaf.End;
        }

        if (end != bytes)
            throw Unreadable(FormattableString.Invariant($"its tensors take {end} bytes, and there are {bytes}"));
    }

    private static byte[] Header(IReadOnlyList<TensorLeaf> leaves, string text)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Writing))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("version", Version);
            json.WriteString("state", text);
            json.WriteString("sha256", Digest(Version, text, leaves));
            foreach (var leaf in leaves)
                json.WriteString($"sha256 {leaf.Name}", leaf.Sha256);
            json.WriteEndObject();
            foreach (var leaf in leaves)
            {
                json.WriteStartObject(leaf.Name);
                json.WriteString("dtype", leaf.Type);
                json.WritePropertyName("shape");
                JsonSerializer.Serialize(json, leaf.Shape);
                json.WritePropertyName("data_offsets");
                JsonSerializer.Serialize(json, new[] { leaf.Begin, leaf.End });
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (stream.Length % 8 != 0)
            stream.WriteByte((byte)' ');
        return stream.Length <= MostHeaderBytes ? stream.ToArray() : throw new InvalidOperationException(
            FormattableString.Invariant($"The header of a training state may have {MostHeaderBytes} bytes; this one would have {stream.Length}. Train for fewer epochs."));
    }

    private static (IReadOnlyList<TensorLeaf> Leaves, string Text) Parse(byte[] header)
    {
        try
        {
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var metadata = json.RootElement.GetProperty("__metadata__");
            string Word(string name) => metadata.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");
            if (Word("version") != Version)
                throw Unreadable($"it is of version '{Word("version")}', and this library reads version {Version}");
            TensorLeaf[] leaves = [.. json.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__").Select(p => Leaf(p, Word($"sha256 {p.Name}")))];
            return Digest(Version, Word("state"), leaves) == Word("sha256") ? (leaves, Word("state")) : throw Unreadable("its header does not match its SHA-256");
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw Unreadable($"its header is damaged: {fault.Message.TrimEnd('.')}", fault);
        }
    }

    private static TensorLeaf Leaf(JsonProperty property, string sha256)
    {
        long[] Numbers(string name) => [.. property.Value.GetProperty(name).EnumerateArray().Select(number => number.GetInt64())];
        return Numbers("data_offsets") is [var begin, var end]
            ? new(property.Name, property.Value.GetProperty("dtype").GetString() ?? "", Numbers("shape"), begin, end, sha256)
            : throw new FormatException($"the tensor '{property.Name}' has no two offsets");
    }

    private static string Digest(string version, string text, IReadOnlyList<TensorLeaf> leaves)
    {
        var all = new StringBuilder().Append(version).Append('\0').Append(text);
        foreach (var leaf in leaves)
            all.Append('\0').Append(leaf.Name).Append('\0').Append(leaf.Type).Append('\0').AppendJoin(',', leaf.Shape).Append(FormattableString.Invariant($"\0{leaf.Begin}\0{leaf.End}\0{leaf.Sha256}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }
}
