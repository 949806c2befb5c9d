namespace MlNetDistill.Networks;

/// <summary>
/// Computes batch normalization into the weights of the convolution before it. ONNX Runtime does so with weights of 32-bit floats only, so before they are quantized it must be done here:
/// else each normalization would be computed in 32-bit floats between two quantizations.
/// </summary>
internal static class BatchNormFolding
{
    private const float DefaultEpsilon = 1e-5f; // of the operator

    public static void Apply(OnnxGraph graph, string output)
    {
        var nodes = graph.Nodes.ToList();
        var readers = nodes.SelectMany(node => node.Inputs).CountBy(name => name).ToDictionary();
        for (var i = 0; i < nodes.Count; i++)
        {
            var normalization = nodes[i];
            if (normalization.Operation != "BatchNormalization")
                continue;
            var before = nodes.FindIndex(node => node.Output == normalization.Inputs[0]);
            if (before < 0 || nodes[before] is not { Operation: "Conv" } convolution || convolution.Output == output || readers[convolution.Output] > 1
                || Fold(graph, convolution, normalization) is not { } folded)
                continue;
            nodes[before] = folded;
            nodes.RemoveAt(i--);
        }

        graph.Replace(nodes);
    }

    /// <summary>One convolution that computes both; null if their numbers are not constants.</summary>
    private static OnnxNode? Fold(OnnxGraph graph, OnnxNode convolution, OnnxNode normalization)
    {
        if (normalization.Inputs.Skip(1).Select(graph.FindConstant).ToArray() is not [{ } gamma, { } beta, { } mean, { } variance]
            || graph.FindConstant(convolution.Inputs[1]) is not { Type: OnnxType.Float } weights)
            return null;
        var bias = convolution.Inputs.Length > 2 ? graph.FindConstant(convolution.Inputs[2]) : null;
        if (bias is null && convolution.Inputs.Length > 2)
            return null;
        var epsilon = normalization.Attribute("epsilon", DefaultEpsilon);
        var channels = (int)weights.Shape[0];
        var (folded, shifts) = (weights.Floats.ToArray(), new float[channels]);
        var length = folded.Length / channels;
        for (var c = 0; c < channels; c++)
        {
            // γ(w·x + b − μ)/√(σ² + ε) + β
            var factor = gamma.Floats[c] / Math.Sqrt((double)variance.Floats[c] + epsilon);
            shifts[c] = (float)(((bias?.Floats[c] ?? 0.0) - mean.Floats[c]) * factor + beta.Floats[c]);
            foreach (ref var weight in folded.AsSpan(c * length, length))
                weight = (float)(weight * factor);
        }

        return convolution with
        {
            Inputs = [convolution.Inputs[0], graph.Constant(OnnxType.Float, weights.Shape, folded), graph.Constant(OnnxType.Float, [channels], shifts)],
            Output = normalization.Output,
        };
    }
}
