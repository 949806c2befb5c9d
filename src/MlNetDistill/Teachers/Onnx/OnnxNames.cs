using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;

namespace MlNetDistill.Teachers;

/// <summary>Finds inputs and outputs of a model by name, and describes them for messages.</summary>
internal static class OnnxNames
{
    private const string Zipmap = " Maps and sequences, as scikit-learn's exporter makes them of probabilities, cannot be read: export with " +
        "options={id(model): {'zipmap': False}}.";

    /// <summary>The TorchSharp type of a tensor's elements; null if a model's input and outputs must not have the type.</summary>
    public static torch.ScalarType? ToScalarType(TensorElementType type) => type switch
    {
        TensorElementType.Float => torch.float32,
        TensorElementType.Float16 => torch.float16,
        TensorElementType.Double => torch.float64,
        TensorElementType.UInt8 => torch.uint8,
        _ => null,
    };

    public static string FindInput(InferenceSession session, string? name, string title)
    {
        var inputs = session.InputMetadata;
        if (name is not null)
        {
            return inputs.ContainsKey(name) ? name : throw new InvalidOperationException(
                $"{title} has no input '{name}', which TeacherInput.InputName names; it has {List(inputs)}.");
        }

        return inputs.Count == 1 ? inputs.Keys.Single() : throw new InvalidOperationException(inputs.Count == 0
            ? $"{title} has no input."
            : $"{title} has {inputs.Count} inputs: {List(inputs)}. Name the one that reads the rows in TeacherInput.InputName; the others must have defaults in the model.");
    }

    /// <summary>The output of class scores, or of embeddings.</summary>
    public static string FindLogits(InferenceSession session, OnnxOutputs named, string title)
    {
        var (outputs, option) = (session.OutputMetadata, named.OptionOf(nameof(OnnxOutputs.Logits)));
        if (named.Logits is { } name)
            return FindOutput(session, name, option, title);
        if (outputs.Count > 1 && !outputs.ContainsKey("logits"))
        {
            var hint = outputs.Values.All(o => o.IsTensor) ? "" : Zipmap;
            throw new InvalidOperationException($"{title} has {outputs.Count} outputs: {List(outputs)}. Name the {(named.AreEmbeddings ? "embeddings" : "class scores")} in {option}.{hint}");
        }

        return FindOutput(session, outputs.Count == 1 ? outputs.Keys.Single() : "logits", option, title);
    }

    /// <summary>The output of that name, checked to be a tensor of floating-point numbers.</summary>
    public static string FindOutput(InferenceSession session, string name, string option, string title)
    {
        var outputs = session.OutputMetadata;
        if (string.IsNullOrEmpty(name) || !outputs.TryGetValue(name, out var output))
        {
            throw new InvalidOperationException($"{title} has no output '{name}', which {option} names; it has {List(outputs)}. A tensor inside must be made an " +
                "output when the model is exported.");
        }

        if (!output.IsTensor)
            throw new InvalidOperationException($"{title} gives '{name}' as {Describe(output)}, not as a tensor.{Zipmap}");
        if (ToScalarType(output.ElementDataType) is null or torch.ScalarType.Byte)
        {
            throw new InvalidOperationException($"{title} gives '{name}' as {Describe(output)}; {option} must be float32, float16 or double. Of its outputs, " +
                $"{List(outputs)}, name one of scores, not of class numbers.");
        }

        return name;
    }

    /// <summary>The declared dimensions, null for a dynamic one; null if none are declared.</summary>
    public static int?[]? GetDimensions(NodeMetadata node) =>
        node.Dimensions.Length == 0 ? null : [.. node.Dimensions.Select(d => d < 0 ? (int?)null : d)];

    public static string List(IReadOnlyDictionary<string, NodeMetadata> nodes) =>
        string.Join(", ", nodes.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => $"'{n.Key}' ({Describe(n.Value)})"));

    public static string Describe(NodeMetadata node)
    {
        if (!node.IsTensor)
            return node.OnnxValueType.ToString().Replace("ONNX_TYPE_", "", StringComparison.Ordinal).ToLowerInvariant();
        var type = ToScalarType(node.ElementDataType) is { } known ? ModelInput.TypeName(known) : node.ElementDataType.ToString().ToLowerInvariant();
        return node.Dimensions.Length == 0 ? type : $"{type} {string.Join('×', node.Dimensions.Select((d, i) => d >= 0 ? $"{d}" : i == 0 ? "N" : "?"))}";
    }
}
