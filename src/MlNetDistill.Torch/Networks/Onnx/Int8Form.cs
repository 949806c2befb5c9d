namespace MlNetDistill.Networks;

/// <summary>
/// Static quantization as QuantizeLinear and DequantizeLinear nodes (QDQ), which ONNX Runtime replaces by operators of integers: weights as bytes with a scale for each output channel,
/// activations as unsigned bytes with the range that calibration rows gave, biases as 32-bit integers in units of the product of both scales.
/// </summary>
/// <param name="ranges">The range of each observed tensor, see <see cref="Observe"/>; the input's under an empty name.</param>
internal sealed class Int8Form(IReadOnlyDictionary<string, ActivationRange> ranges) : OnnxForm
{
    /// <summary>Prepares a graph for calibration.</summary>
    /// <returns>The tensors whose ranges the form needs.</returns>
    /// <exception cref="NotSupportedException">An operator of the graph has no such form.</exception>
    public static IReadOnlyList<string> Observe(OnnxGraph graph, string output)
    {
        BatchNormFolding.Apply(graph, output);
        foreach (var node in graph.Nodes)
            Check(graph, node);
        return [.. new QuantizationPlan(graph, output).Observed];
    }

    public override void Apply(OnnxGraph graph, string input, string output)
    {
        Observe(graph, output);
        var plan = new QuantizationPlan(graph, output);
        var (nodes, quantized) = (new List<OnnxNode>(), new Dictionary<string, string>());
        Quantize(input);
        foreach (var node in graph.Nodes.ToList())
        {
            string[] inputs = [.. node.Inputs.Select(name => quantized.GetValueOrDefault(name, name))];
            if (QuantizationPlan.HasWeights(graph, node))
                inputs = [inputs[0], .. new QuantizedWeights(graph, node, RangeOf(node.Inputs[0]).Scale).Write(nodes)];
            nodes.Add(node with { Inputs = inputs });
            Quantize(node.Output);
        }

        graph.Replace(nodes);

        void Quantize(string tensor)
        {
            if (plan.RangeOf(tensor) is null)
                return;
            var range = RangeOf(tensor);
            var (scale, zero) = (graph.Constant(OnnxType.Float, [], [range.Scale]), graph.Constant(OnnxType.UInt8, [], [range.ZeroPoint]));
            var bytes = graph.CreateNode("QuantizeLinear", [tensor, scale, zero]);
            var floats = graph.CreateNode("DequantizeLinear", [bytes.Output, scale, zero]);
            nodes.AddRange([bytes, floats]);
            quantized[tensor] = floats.Output;
        }

        ActivationRange RangeOf(string tensor) => plan.RangeOf(tensor) is var name && ranges.TryGetValue(name == input ? "" : name!, out var range) ? range
            : throw new InvalidOperationException($"The tensor '{tensor}' has no range: the calibration was of another graph.");
    }

    private static void Check(OnnxGraph graph, OnnxNode node)
    {
        const string Remedy = "Use Float16, whose weights may be of any operator, or another block.";
        if (QuantizationPlan.HasWeights(graph, node))
        {
            if (node.Operation == "Gemm" && (node.Attribute("transA", 0L), node.Attribute("alpha", 1f), node.Attribute("beta", 1f)) != (0, 1, 1))
                throw CreateError(node, "int8", "only transA = 0, alpha = 1 and beta = 1 are computed with integers", Remedy);
        }
        else if (WeightsOf(graph, node).FirstOrDefault() is { } weights)
        {
            throw CreateError(
                node, "int8", $"it has weights of {string.Join('×', weights.Shape)}, and only Conv, Gemm and MatMul by constant weights are quantized", Remedy);
        }
    }
}
