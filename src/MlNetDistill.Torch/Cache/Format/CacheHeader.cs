using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MlNetDistill.Cache;

/// <summary>The header of a cache file: JSON text that describes its contents and its layout.</summary>
internal static class CacheHeader
{
    public const int MagicBytes = 8;
    public const int PrefixBytes = MagicBytes + 4;

    // Far longer than any header, so that a damaged length does not allocate much memory.
    private const int MaxTextBytes = 1 << 20;

    // Line by line, for people who open the file; with the same line ends on every system, as the bytes are compared.
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // The parts in which caches differ, and their names in a message.
    private static readonly (string Part, string Name)[] ComparedParts =
    [
        ("format", "format"), ("teacher", "teacher"), ("data", "data"), ("rows", "number of rows"), ("classes", "classes"), ("shapes", "shapes of the outputs"), ("kept", "kept outputs"),
        ("precision", "precision"), ("topK", "top-k"), ("views", "number of views"), ("augmentation", "augmentation"),
    ];

    public static ReadOnlySpan<byte> Magic => "MLNDTREC"u8;

    /// <summary>Name and version of this library.</summary>
    public static string ThisLibrary { get; } = $"MlNetDistill.Torch {typeof(CacheHeader).Assembly.GetName().Version}";

    /// <summary>The key as text, without the cached outputs.</summary>
    public static byte[] KeyBytes(CacheFileKey key) => Encoding.UTF8.GetBytes(DescribeKey(key).ToJsonString(Format));

    /// <summary>The whole header.</summary>
    public static byte[] Bytes(CacheLayout layout, string writtenBy)
    {
        var text = Encoding.UTF8.GetBytes(Describe(layout, writtenBy).ToJsonString(Format));
        var bytes = new byte[PrefixBytes + text.Length + CacheLayout.HashBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(MagicBytes), text.Length);
        text.CopyTo(bytes, PrefixBytes);
        SHA256.HashData(bytes.AsSpan(..^CacheLayout.HashBytes), bytes.AsSpan(PrefixBytes + text.Length));
        return bytes;
    }

    /// <summary>Reads the header's text from a file and checks its hash.</summary>
    /// <exception cref="CacheFormatException">The file has no header, or the header is damaged.</exception>
    public static JsonObject Read(Stream file)
    {
        file.Position = 0;
        var prefix = new byte[PrefixBytes];
        if (file.ReadAtLeast(prefix, PrefixBytes, throwOnEndOfStream: false) < PrefixBytes || !prefix.AsSpan(0, MagicBytes).SequenceEqual(Magic))
            throw new CacheFormatException("it is not a teacher cache");
        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix.AsSpan(MagicBytes));
        if (length is < 2 or > MaxTextBytes)
            throw new CacheFormatException("the length of its header is invalid");
        if (file.Length < PrefixBytes + length + CacheLayout.HashBytes)
            throw new CacheFormatException("it ends within its header");
        var rest = new byte[length + CacheLayout.HashBytes];
        if (file.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length)
            throw new CacheFormatException("it ends within its header");
        if (!SHA256.HashData([.. prefix, .. rest.AsSpan(0, length)]).AsSpan().SequenceEqual(rest.AsSpan(length)))
            throw new CacheFormatException("its header does not match its hash");
        try
        {
            CheckTexts(rest.AsSpan(0, length));
            return JsonNode.Parse(rest.AsSpan(0, length), documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new CacheFormatException("its header is not a JSON object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CacheFormatException("its header is not JSON");
        }
    }

    /// <summary>The parts in which the header of a file differs from that of <paramref name="key"/>, each with both values.</summary>
    public static IReadOnlyList<string> FindDifferences(JsonObject header, CacheFileKey key)
    {
        var needed = Describe(new CacheLayout(key), ThisLibrary);
        return [.. from part in ComparedParts
                   let cachedValue = Text(header, part.Part)
                   let neededValue = Text(needed, part.Part)
                   where cachedValue != neededValue
                   select $"{part.Name} (cached: {cachedValue}; needed: {neededValue})"];
    }

    /// <summary>Reads every text: nodes are read lazily, and one that is not Unicode would be an error where it is used.</summary>
    /// <exception cref="InvalidOperationException">A text is not Unicode.</exception>
    private static void CheckTexts(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String)
                _ = reader.GetString();
        }
    }

    private static string Text(JsonObject header, string part) => !header.TryGetPropertyValue(part, out var value) ? "nothing"
        : value is null ? "none"
        : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>()
        : value.ToJsonString();

    private static JsonObject Describe(CacheLayout layout, string writtenBy)
    {
        var header = DescribeKey(layout.Key);
        header.Insert(0, "writtenBy", writtenBy);
        header["kept"] = ToArray(layout.Key.KeptNames);
        header["entries"] = layout.Entries;
        header["rowsPerBlock"] = layout.RowsPerBlock;
        header["fields"] = ToArray(layout.Fields.Select(field => new JsonObject
        {
            ["name"] = field.Name,
            ["type"] = field.TypeName,
            ["dimensions"] = ToArray(field.Dimensions),
        }));
        return header;
    }

    private static JsonObject DescribeKey(CacheFileKey key)
    {
        var shapes = new JsonObject { ["logits"] = key.Shapes.LogitCount };
        if (key.Shapes.EmbeddingLength is { } length)
            shapes["embedding"] = length;
        shapes["stages"] = ToArray(key.Shapes.StageFeatures.Select(dimensions => ToArray(dimensions)));
        return new JsonObject
        {
            ["format"] = CacheLayout.Version,
            ["teacher"] = key.Teacher,
            ["data"] = key.Data,
            ["rows"] = key.Rows,
            ["classes"] = key.Classes,
            ["shapes"] = shapes,
            ["precision"] = key.Precision == CachePrecision.Half ? "half" : "single",
            ["topK"] = key.TopK,
            ["views"] = key.AugmentedViews,
            ["augmentation"] = key.Augmentation,
        };
    }

    private static JsonArray ToArray<T>(IEnumerable<T> values)
    {
        var array = new JsonArray();
        foreach (var value in values)
            array.Add(value);
        return array;
    }
}
