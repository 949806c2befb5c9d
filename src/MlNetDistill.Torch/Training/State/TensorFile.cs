using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Reads and writes named tensors and a text in one file in the safetensors format: the length of a JSON header (8 bytes), the header, the bytes of the tensors. The
/// metadata in the header contain the text, the SHA-256 of every tensor, and one over all of these.
/// </summary>
internal static class TensorFile
{
    private const string Version = "1";

    // The limit of the format.
    private const long MaxHeaderBytes = 100_000_000;

    // Names need no HTML escapes.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Stream stream, IReadOnlyDictionary<string, Tensor> tensors, string text)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var entries = new List<TensorEntry>();
        var values = new List<Tensor>();
        // Types with the largest elements first, so that each tensor is aligned.
        foreach (var (name, tensor) in tensors.OrderByDescending(t => t.Value.ElementSize).ThenBy(t => t.Key, StringComparer.Ordinal))
        {
            var value = tensor.detach().cpu().contiguous();
            entries.Add(TensorEntry.From(name, value, entries.Count == 0 ? 0 : entries[^1].End));
            values.Add(value);
        }

        var header = WriteHeader(entries, text);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var value in values)
            TensorEntry.ForEachChunk(value, bytes => stream.Write(bytes));
    }

    /// <summary>The tensors, on the CPU, and the text. The caller disposes the tensors.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or has another format.</exception>
    public static (IReadOnlyDictionary<string, Tensor> Tensors, string Text) Read(Stream stream)
    {
        if (!stream.CanSeek)
            throw new ArgumentException("The stream must be able to seek, so that its length is known; found one that cannot. Read it into a MemoryStream first.", nameof(stream));
        var rest = stream.Length - stream.Position - 8;
        Span<byte> prefix = stackalloc byte[8];
        if (rest < 0)
            throw CreateReadError("it ends within its first 8 bytes");
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length < 2 || length > Math.Min(rest, MaxHeaderBytes))
            throw CreateReadError(FormattableString.Invariant($"its header cannot be {length} bytes long"));
        var header = new byte[length];
        stream.ReadExactly(header);
        var (entries, text) = Parse(header);
        Check(entries, rest - length);
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var entry in entries)
                tensors.Add(entry.Name, entry.Read(stream));
        }
        catch
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            throw;
        }

        return (tensors, text);
    }

    public static InvalidDataException CreateReadError(string fault, Exception? cause = null) =>
        new($"The file of a training state cannot be read: {fault}. Give the file as it was written by this version, or train from the beginning.", cause);

    private static void Check(IReadOnlyList<TensorEntry> entries, long bytes)
    {
        var end = 0L;
        foreach (var entry in entries)
        {
            if (entry.FindFault(end, bytes) is { } fault)
                throw CreateReadError($"the tensor '{entry.Name}' {fault}");
            end = entry.End;
        }

        if (end != bytes)
            throw CreateReadError(FormattableString.Invariant($"its tensors take {end} bytes, and there are {bytes}"));
    }

    private static byte[] WriteHeader(IReadOnlyList<TensorEntry> entries, string text)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("version", Version);
            json.WriteString("state", text);
            json.WriteString("sha256", ComputeDigest(Version, text, entries));
            foreach (var entry in entries)
                json.WriteString($"sha256 {entry.Name}", entry.Sha256);
            json.WriteEndObject();
            foreach (var entry in entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", entry.Type);
                json.WritePropertyName("shape");
                JsonSerializer.Serialize(json, entry.Shape);
                json.WritePropertyName("data_offsets");
                JsonSerializer.Serialize(json, new[] { entry.Begin, entry.End });
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (stream.Length % 8 != 0)
            stream.WriteByte((byte)' ');
        return stream.Length <= MaxHeaderBytes ? stream.ToArray() : throw new InvalidOperationException(
            FormattableString.Invariant($"The header of a training state may have {MaxHeaderBytes} bytes; this one would have {stream.Length}. Train for fewer epochs."));
    }

    private static (IReadOnlyList<TensorEntry> Entries, string Text) Parse(byte[] header)
    {
        try
        {
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var metadata = json.RootElement.GetProperty("__metadata__");
            string GetText(string name) => metadata.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");
            if (GetText("version") != Version)
                throw CreateReadError($"it is of version '{GetText("version")}', and this library reads version {Version}");
            TensorEntry[] entries = [.. json.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__").Select(p => ParseEntry(p, GetText($"sha256 {p.Name}")))];
            return ComputeDigest(Version, GetText("state"), entries) == GetText("sha256") ? (entries, GetText("state")) : throw CreateReadError("its header does not match its SHA-256");
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw CreateReadError($"its header is damaged: {fault.Message.TrimEnd('.')}", fault);
        }
    }

    private static TensorEntry ParseEntry(JsonProperty property, string sha256)
    {
        long[] GetNumbers(string name) => [.. property.Value.GetProperty(name).EnumerateArray().Select(number => number.GetInt64())];
        return GetNumbers("data_offsets") is [var begin, var end]
            ? new(property.Name, property.Value.GetProperty("dtype").GetString() ?? "", GetNumbers("shape"), begin, end, sha256)
            : throw new FormatException($"the tensor '{property.Name}' does not have two offsets");
    }

    private static string ComputeDigest(string version, string text, IReadOnlyList<TensorEntry> entries)
    {
        var all = new StringBuilder().Append(version).Append('\0').Append(text);
        foreach (var entry in entries)
            all.Append('\0').Append(entry.Name).Append('\0').Append(entry.Type).Append('\0').AppendJoin(',', entry.Shape).Append(FormattableString.Invariant($"\0{entry.Begin}\0{entry.End}\0{entry.Sha256}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }
}
