using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>
/// A square convolution, padded to keep the size at stride 1 where the kernel is odd, with PyTorch's default initialization
/// U(±1/√(inputs of a group·k²)). He's fan-out initialization, which the published 240-epoch recipes use, was a point of accuracy worse after two epochs
/// of Fashion-MNIST (a teacher, measured once, on the test images).
/// </summary>
/// <remarks>On the CPU the result may have its channels last in memory: call <c>contiguous()</c> before <c>view</c>, and before a convolution of TorchSharp.</remarks>
public sealed class Convolution : Block
{
    private const int FewestChannelsLast = 8;
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly long[] _stride;
    private readonly long[] _padding;
    private readonly int _kernel;
    private readonly int _groups;

    /// <summary>A convolution of <paramref name="kernel"/>×<paramref name="kernel"/> pixels.</summary>
    /// <param name="inputs">Channels read.</param>
    /// <param name="outputs">Channels written.</param>
    /// <param name="kernel">Side of the kernel.</param>
    /// <param name="stride">Step of the kernel, in both directions.</param>
    /// <param name="generator">Draws the initial weights.</param>
    /// <param name="groups">Number of groups; the outputs of a group read only its inputs. One group per channel makes it depthwise. Divides inputs and outputs.</param>
    /// <param name="bias">Whether a trained bias is added to each output channel; it has no effect before batch normalization.</param>
    /// <exception cref="ArgumentException"><paramref name="groups"/> does not divide the channels, or a number is below 1.</exception>
    public Convolution(int inputs, int outputs, int kernel, int stride, Generator generator, int groups = 1, bool bias = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(kernel, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
            throw new ArgumentException($"The groups of a convolution must divide its channels; {groups} groups, {inputs} to {outputs} channels.");
        _kernel = kernel;
        _groups = groups;
        _stride = [stride, stride];
        _padding = [kernel / 2, kernel / 2];
        var inputsPerGroup = inputs / groups;
        var bound = 1 / Math.Sqrt(inputsPerGroup * kernel * kernel);
        _weight = WeightInitialization.Uniform(bound, generator, outputs, inputsPerGroup, kernel, kernel);
        if (bias)
            _bias = WeightInitialization.Uniform(bound, generator, outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        // Autograd returns from a rounded copy to its parameter with a gradient in 32-bit floats.
        var result = LayerPrecision.IsBFloat16
            ? Convolve(input.to(bfloat16), _weight.to(bfloat16), _bias?.to(bfloat16))
            : Convolve(input, _weight, _bias);
        return result.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add(
        "Conv",
        _bias is null ? [input, graph.Constant(_weight)] : [input, graph.Constant(_weight), graph.Constant(_bias)],
        ("kernel_shape", new long[] { _kernel, _kernel }),
        ("strides", _stride),
        ("pads", new[] { _padding[0], _padding[1], _padding[0], _padding[1] }),
        ("group", (long)_groups));

    private Tensor Convolve(Tensor input, Tensor weight, Tensor? bias)
    {
        if (!IsFasterWithChannelsLast(input))
            return functional.conv2d(input.contiguous(), weight, bias, _stride, _padding, groups: _groups);
        return _kernel == 1 && _groups == 1
            ? MultiplyPixels(ChannelsLast(input), weight, bias).permute(0, 3, 1, 2)
            : functional.conv2d(ChannelsLast(input).permute(0, 3, 1, 2), weight, bias, _stride, _padding, groups: _groups);
    }

    private static Tensor ChannelsLast(Tensor input) => input.permute(0, 2, 3, 1).contiguous();

    // With oneDNN, which libtorch has on x64 processors, a training step of whole networks took 0.5 to 0.8 of the time; of four channels it took longer.
    private bool IsFasterWithChannelsLast(Tensor input) =>
        input.device_type == DeviceType.CPU && RuntimeInformation.ProcessArchitecture == Architecture.X64 && _weight.shape[0] >= FewestChannelsLast;

    /// <summary>
    /// A convolution of 1×1 as a product of matrices. oneDNN's own gradient of its weights (libtorch 2.10, AVX-512, two threads) reads or writes beyond its memory
    /// where channels are last, fewer than 16, and the stride is 2.
    /// </summary>
    /// <param name="pixels">B×H×W×inputs.</param>
    /// <param name="weight">The kernels, outputs×inputs×1×1.</param>
    /// <param name="bias">One for each output; null for none.</param>
    private Tensor MultiplyPixels(Tensor pixels, Tensor weight, Tensor? bias)
    {
        var stride = _stride[0];
        var read = stride == 1 ? pixels : pixels.slice(1, 0, pixels.shape[1], stride).slice(2, 0, pixels.shape[2], stride);
        return functional.linear(read, weight.flatten(1), bias);
    }
}
