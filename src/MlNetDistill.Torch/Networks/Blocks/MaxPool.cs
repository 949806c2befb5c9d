using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>The largest value of each square of pixels; what is left over at the edges is dropped.</summary>
public sealed class MaxPool : Block
{
    private readonly long[] _size;

    /// <summary>The largest of <paramref name="size"/>×<paramref name="size"/> pixels.</summary>
    /// <param name="size">Side of the squares, which lie side by side; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is below 1.</exception>
    public MaxPool(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _size = [size, size];
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.max_pool2d(input, _size, _size);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add("MaxPool", [input], ("kernel_shape", _size), ("strides", _size));
}
