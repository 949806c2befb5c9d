using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>The mean of each channel over its map: B×C×H×W to B×C.</summary>
public sealed class GlobalAveragePool : Block
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => LayerPrecision.IsBFloat16 ? input.mean([2, 3], type: float32) : input.mean([2, 3]);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add("Flatten", [graph.Add("GlobalAveragePool", [input])], ("axis", 1L));
}
