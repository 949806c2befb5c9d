using System.Text.Json;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Reference values from named reference code; read-only. A file that is missing makes its tests fail.</summary>
internal static class Golden
{
    private static readonly Dictionary<string, JsonElement> Files = [];

    public static IReadOnlyList<JsonElement> Records(string file) => [.. Root(file).GetProperty("records").EnumerateArray()];

    public static JsonElement Record(string file, string key, string value) => Records(file).Single(r => r.GetProperty(key).GetString() == value);

    /// <summary>The named set of student logits, teacher logits and labels.</summary>
    public static JsonElement LogitsCase(string name) => Case("inputs_logits.json", name);

    /// <summary>The inputs of that name in a file of inputs.</summary>
    public static JsonElement Case(string file, string name) => Root(file).GetProperty("cases").GetProperty(name);

    /// <summary>A number; JSON has no NaN and no infinity, so these are strings there.</summary>
    public static double Number(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString() switch
        {
            "NaN" or "nan" => double.NaN,
            "Infinity" or "inf" => double.PositiveInfinity,
            "-Infinity" or "-inf" => double.NegativeInfinity,
            var text => throw new FormatException($"'{text}' is no number."),
        }
        : value.GetDouble();

    public static double[] Numbers(JsonElement values) => [.. values.EnumerateArray().Select(Number)];

    public static long[] Integers(JsonElement values) => [.. values.EnumerateArray().Select(v => v.GetInt64())];

    /// <summary>A tensor from its shape and its row-major data.</summary>
    public static Tensor Tensor(JsonElement value, ScalarType type) =>
        tensor(Numbers(value.GetProperty("data"))).reshape(Integers(value.GetProperty("shape"))).to(type);

    private static JsonElement Root(string file)
    {
        lock (Files)
        {
            if (!Files.TryGetValue(file, out var root))
                Files[file] = root = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", file))).RootElement;
            return root;
        }
    }
}
