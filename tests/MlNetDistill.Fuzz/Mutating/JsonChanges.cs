using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MlNetDistill.Fuzz.Mutating;

/// <summary>Changes of JSON text that is JSON afterwards, mostly.</summary>
internal static class JsonChanges
{
    // What no JSON writer would write.
    private const string HalfCharacter = "half a character";
    private const string NotUtf8 = "not UTF-8";
    private const int Deep = 70;

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "1", "-1", "2147483647", "-2147483648", "2147483648", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e400", "-1e-400", "0.5",
        "\"NaN\"", "\"Infinity\"", "\"\"", "\"\\u0000\"", "\"../../x\"", "{}", "[]", "[null]", "[[]]", "[0]", "{\"a\":null}", $"\"{HalfCharacter}\"", $"\"{NotUtf8}\"",
    ];

    /// <summary>Makes one change.</summary>
    public static byte[] Change(ReadOnlySpan<byte> text, Random random)
    {
        var root = Parse(text);
        if (root is null)
            return Damages.Of([.. text, (byte)' '], random).Bytes;
        var places = Places(root).ToList();
        if (places.Count == 0)
            return Encoding.UTF8.GetBytes(Values[random.Next(Values.Length)]);
        var (parent, key) = places[random.Next(places.Count)];
        switch (random.Next(6))
        {
            case 0:
                Remove(parent, key);
                break;
            case 1 when parent is JsonObject named:
                var value = named[(string)key]?.DeepClone();
                named.Remove((string)key);
                named[(string)key + (random.Next(2) == 0 ? "x" : HalfCharacter)] = value;
                break;
            case 2:
                var (otherParent, otherKey) = places[random.Next(places.Count)];
                Set(parent, key, Get(otherParent, otherKey)?.DeepClone());
                break;
            case 3 when parent is JsonArray list:
                for (var times = random.Next(3) == 0 ? 300 : 1; times > 0; times--)
                    list.Add(Get(parent, key)?.DeepClone());
                break;
            case 4:
                Set(parent, key, Nested(random.Next(2) == 0 ? Deep : 3));
                break;
            default:
                Set(parent, key, JsonNode.Parse(Values[random.Next(Values.Length)]));
                break;
        }

        return Written(root);
    }

    public static JsonNode? Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            var root = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 2 * Deep });
            // It is read lazily, and only so shows what it cannot read.
            foreach (var (parent, key) in Places(root))
            {
                if (Get(parent, key) is JsonValue value && value.GetValueKind() == JsonValueKind.String)
                    _ = value.GetValue<string>();
            }

            return root;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    public static byte[] Written(JsonNode root)
    {
        var text = root.ToJsonString(new JsonSerializerOptions { MaxDepth = 4 * Deep }).Replace(HalfCharacter, "\\ud800", StringComparison.Ordinal);
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(NotUtf8)) is >= 0 and var at)
            bytes[at] = 0xC3;
        return bytes;
    }

    private static JsonNode Nested(int depth)
    {
        JsonNode node = new JsonArray();
        for (; depth > 0; depth--)
            node = new JsonArray(node);
        return node;
    }

    private static IEnumerable<(JsonNode Parent, object Key)> Places(JsonNode? node) => node switch
    {
        JsonObject named => named.SelectMany(property => Places(property.Value).Prepend((named, property.Key))),
        JsonArray list => Enumerable.Range(0, list.Count).SelectMany(i => Places(list[i]).Prepend((list, (object)i))),
        _ => [],
    };

    private static JsonNode? Get(JsonNode parent, object key) => parent is JsonObject named ? named[(string)key] : ((JsonArray)parent)[(int)key];

    private static void Set(JsonNode parent, object key, JsonNode? value)
    {
        if (parent is JsonObject named)
            named[(string)key] = value;
        else
            ((JsonArray)parent)[(int)key] = value;
    }

    private static void Remove(JsonNode parent, object key)
    {
        if (parent is JsonObject named)
            named.Remove((string)key);
        else
            ((JsonArray)parent).RemoveAt((int)key);
    }
}
