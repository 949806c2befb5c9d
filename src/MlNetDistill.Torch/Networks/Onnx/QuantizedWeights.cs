namespace MlNetDistill.Networks;

/// <summary>The weights and the bias of a Conv, Gemm or MatMul as integers.</summary>
/// <param name="graph">The graph, which gets their constants.</param>
/// <param name="node">The node.</param>
/// <param name="inputScale">Scale of the node's input.</param>
internal sealed class QuantizedWeights(OnnxGraph graph, OnnxNode node, float inputScale)
{
    /// <summary>The largest weight of a channel becomes ±127.</summary>
    private const int Largest = 127;

    /// <summary>
    /// The byte that is 0. Weights are stored as unsigned bytes around it: x64 processors without VNNI add two products of an unsigned and a signed byte in 16 bits and cut off
    /// what is larger (microsoft/onnxruntime#12088), so a student would give other scores there than where it was measured.
    /// </summary>
    private const byte Zero = 128;

    /// <summary>Adds nodes that give the weights and, where there is one, the bias.</summary>
    /// <returns>Their outputs, in the order of the node's inputs.</returns>
    public string[] Write(List<OnnxNode> nodes)
    {
        var weights = graph.FindConstant(node.Inputs[1])!;
        var axis = node.Operation == "MatMul" || (node.Operation == "Gemm" && node.Attribute("transB", 0L) == 0) ? weights.Shape.Length - 1 : 0;
        var channels = (int)weights.Shape[axis];
        var bias = node.Inputs.Length > 2 ? graph.FindConstant(node.Inputs[2]) : null;
        if (bias is not { Type: OnnxType.Float, Shape.Length: 1 } || bias.Shape[0] != channels)
            bias = null;
        var scales = Scales(weights.Floats, channels, axis, bias);
        var dequantized = Dequantize(OnnxType.UInt8, weights.Shape, Quantize(weights.Floats, scales, axis), Zero, scales, axis);
        if (node.Inputs.Length == 2)
            return [dequantized];
        if (bias is null)
            return [dequantized, node.Inputs[2]];
        float[] units = [.. scales.Select(scale => scale * inputScale)];
        return [dequantized, Dequantize(OnnxType.Int32, bias.Shape, Round(bias.Floats, units), 0, units, 0)];

        string Dequantize<T>(OnnxType type, long[] shape, T[] values, T zero, float[] scale, int along)
            where T : unmanaged
        {
            var result = graph.CreateNode(
                "DequantizeLinear",
                [graph.Constant(type, shape, values), graph.Constant(OnnxType.Float, [scale.Length], scale), graph.Constant(type, [scale.Length], Enumerable.Repeat(zero, scale.Length).ToArray())],
                ("axis", (long)along));
            nodes.Add(result);
            return result.Output;
        }
    }

    /// <summary>The channel of a weight: its first index, or its last.</summary>
    private static int ChannelOf(int index, int count, int channels, int axis) => axis == 0 ? index / (count / channels) : index % channels;

    private float[] Scales(ReadOnlySpan<float> weights, int channels, int axis, OnnxConstant? bias)
    {
        var largest = new float[channels];
        for (var i = 0; i < weights.Length; i++)
        {
            ref var most = ref largest[ChannelOf(i, weights.Length, channels, axis)];
            most = Math.Max(most, Math.Abs(weights[i]));
        }

        var scales = new float[channels];
        for (var c = 0; c < channels; c++)
        {
            // A channel of nearly no weights has a bias that would not fit into 32 bits in units of its own scale.
            var fewest = bias is null ? 0 : Math.Abs((double)bias.Floats[c]) / ((double)inputScale * (int.MaxValue / 2));
            var scale = (float)Math.Max(largest[c] / (double)Largest, fewest);
            scales[c] = scale > 0 ? scale : 1;
        }

        return scales;
    }

    private static byte[] Quantize(ReadOnlySpan<float> weights, float[] scales, int axis)
    {
        var values = new byte[weights.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = (byte)(Zero + Math.Clamp(Math.Round((double)weights[i] / scales[ChannelOf(i, values.Length, scales.Length, axis)]), -Largest, Largest));
        return values;
    }

    private static int[] Round(ReadOnlySpan<float> values, float[] units)
    {
        var rounded = new int[values.Length];
        for (var c = 0; c < rounded.Length; c++)
            rounded[c] = (int)Math.Clamp(Math.Round(values[c] / (double)units[c]), int.MinValue, int.MaxValue);
        return rounded;
    }
}
