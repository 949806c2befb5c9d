using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MlNetDistill.Cache;

/// <summary>The text at the beginning of a record's file: what its answers are and how they lie.</summary>
internal static class CacheHeader
{
    public const int MagicBytes = 8;
    public const int PrefixBytes = MagicBytes + 4;

    // Far beyond any header: a length above it is not one.
    private const int MostBytes = 1 << 20;

    // The parts that tell one record from another, and what they are called in a message.
    private static readonly (string Part, string Words)[] Telling =
    [
        ("teacher", "teacher"), ("data", "data"), ("rows", "number of rows"), ("classes", "classes"), ("shapes", "shapes of the outputs"), ("kept", "kept outputs"),
        ("precision", "precision"), ("topK", "top-k"), ("views", "number of views"), ("augmentation", "augmentation"),
    ];

    public static ReadOnlySpan<byte> Magic => "MLNDTREC"u8;

    /// <summary>Name and version of this library.</summary>
    public static string ThisLibrary { get; } = $"MlNetDistill.Torch {typeof(CacheHeader).Assembly.GetName().Version}";

    /// <summary>The key as text, without what is kept.</summary>
    public static byte[] Identity(CacheFileKey key) => Json(json => WriteKey(json, key));

    public static byte[] Bytes(CacheLayout layout, string writtenBy)
    {
        var text = Json(json => Write(json, layout, writtenBy));
        var bytes = new byte[PrefixBytes + text.Length + CacheLayout.HashBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(MagicBytes), text.Length);
        text.CopyTo(bytes, PrefixBytes);
        SHA256.HashData(bytes.AsSpan(..^CacheLayout.HashBytes), bytes.AsSpan(PrefixBytes + text.Length));
        return bytes;
    }

    /// <summary>The header's text in a file, after a check of its hash.</summary>
    /// <exception cref="CacheFormatException">There is none, or it is damaged.</exception>
    public static JsonDocument Read(Stream file)
    {
        file.Position = 0;
        var prefix = new byte[PrefixBytes];
        if (file.ReadAtLeast(prefix, PrefixBytes, throwOnEndOfStream: false) < PrefixBytes || !prefix.AsSpan(0, MagicBytes).SequenceEqual(Magic))
            throw new CacheFormatException("it is not a teacher cache");
        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix.AsSpan(MagicBytes));
        if (length is < 2 or > MostBytes)
            throw new CacheFormatException("its header does not have a possible length");
        var rest = new byte[length + CacheLayout.HashBytes];
        if (file.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length)
            throw new CacheFormatException("it ends within its header");
        if (!SHA256.HashData([.. prefix, .. rest.AsSpan(0, length)]).AsSpan().SequenceEqual(rest.AsSpan(length)))
            throw new CacheFormatException("its header does not match its hash");
        try
        {
            return JsonDocument.Parse(rest.AsMemory(0, length));
        }
        catch (JsonException)
        {
            throw new CacheFormatException("its header is not JSON");
        }
    }

    /// <summary>What tells two records apart, as words: each part with what it is there and here.</summary>
    public static IReadOnlyList<string> Differences(JsonElement there, CacheFileKey key)
    {
        using var here = JsonDocument.Parse(Bytes(new CacheLayout(key), ThisLibrary).AsMemory(PrefixBytes..^CacheLayout.HashBytes));
        return [.. from part in Telling
                   let theirs = Text(there, part.Part)
                   let ours = Text(here.RootElement, part.Part)
                   where theirs != ours
                   select $"{part.Words} (there {theirs}, here {ours})"];
    }

    private static string Text(JsonElement header, string part) => !header.TryGetProperty(part, out var value) ? "nothing"
        : value.ValueKind == JsonValueKind.Null ? "none"
        : value.ValueKind == JsonValueKind.String ? value.GetString()!
        : string.Concat(value.GetRawText().Where(c => !char.IsWhiteSpace(c)));

    private static void Write(Utf8JsonWriter json, CacheLayout layout, string writtenBy)
    {
        json.WriteString("writtenBy", writtenBy);
        WriteKey(json, layout.Key);
        WriteStrings(json, "kept", layout.Key.KeptNames);
        json.WriteNumber("entries", layout.Entries);
        json.WriteNumber("rowsPerBlock", layout.RowsPerBlock);
        json.WriteStartArray("fields");
        foreach (var field in layout.Fields)
        {
            json.WriteStartObject();
            json.WriteString("name", field.Name);
            json.WriteString("type", field.TypeName);
            WriteNumbers(json, "dimensions", field.Dimensions);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteKey(Utf8JsonWriter json, CacheFileKey key)
    {
        json.WriteNumber("format", CacheLayout.Version);
        json.WriteString("teacher", key.Teacher);
        json.WriteString("data", key.Data);
        json.WriteNumber("rows", key.Rows);
        json.WriteString("classes", key.Classes);
        json.WriteStartObject("shapes");
        json.WriteNumber("logits", key.Shapes.LogitCount);
        if (key.Shapes.EmbeddingLength is { } length)
            json.WriteNumber("embedding", length);
        json.WriteStartArray("stages");
        foreach (var dimensions in key.Shapes.StageFeatures)
            WriteNumbers(json, null, dimensions);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteString("precision", key.Precision == CachePrecision.Half ? "half" : "single");
        if (key.TopK is { } k)
            json.WriteNumber("topK", k);
        else
            json.WriteNull("topK");
        json.WriteNumber("views", key.AugmentedViews);
        json.WriteString("augmentation", key.Augmentation);
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string? name, IEnumerable<long> values)
    {
        if (name is null)
            json.WriteStartArray();
        else
            json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        // Written for people too: line by line, with the same line ends everywhere as the bytes are compared.
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
