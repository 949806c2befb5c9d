using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>The largest value of each square of <paramref name="size"/>×<paramref name="size"/> pixels; what is left over at the edges is dropped.</summary>
/// <param name="size">Side of the squares, which lie side by side.</param>
public sealed class MaxPool(int size) : Block
{
    private readonly long[] _size = [size, size];

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.max_pool2d(input, _size, _size);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add("MaxPool", [input], ("kernel_shape", _size), ("strides", _size));
}
