using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>
/// The mean around each pixel. Padded like <see cref="Convolution"/>, so both give maps of the same size for the same kernel and stride; the zeros of the padding
/// count in the mean.
/// </summary>
public sealed class AveragePool : Block
{
    private readonly long[] _kernel;
    private readonly long[] _stride;
    private readonly long[] _padding;

    /// <summary>The mean of <paramref name="kernel"/>×<paramref name="kernel"/> pixels.</summary>
    /// <param name="kernel">Side of the square averaged over; at least 1.</param>
    /// <param name="stride">Step of the square, in both directions; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public AveragePool(int kernel, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(kernel, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        _kernel = [kernel, kernel];
        _stride = [stride, stride];
        _padding = [kernel / 2, kernel / 2];
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.avg_pool2d(input, _kernel, _stride, _padding);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add(
        "AveragePool",
        [input],
        ("kernel_shape", _kernel),
        ("strides", _stride),
        ("pads", new[] { _padding[0], _padding[1], _padding[0], _padding[1] }),
        ("count_include_pad", 1L));
}
