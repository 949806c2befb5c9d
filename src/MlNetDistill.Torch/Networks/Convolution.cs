using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>
/// A square convolution without bias, padded to keep the size at stride 1, with PyTorch's default initialisation U(±1/√(inputs·k²)).
/// He's fan-out initialisation, which the published 240-epoch recipes use, was a point worse after two epochs of Fashion-MNIST
/// (teacher, on the test images: one look, no held-out comparison).
/// </summary>
public sealed class Convolution : Block
{
    private readonly Parameter _weight;
    private readonly long[] _stride;
    private readonly long[] _padding;
    private readonly int _kernel;

    /// <summary>A convolution of <paramref name="kernel"/>×<paramref name="kernel"/> pixels.</summary>
    public Convolution(int inputs, int outputs, int kernel, int stride, Generator generator)
    {
        _kernel = kernel;
        _stride = [stride, stride];
        _padding = [kernel / 2, kernel / 2];
        _weight = Initial.Uniform(1 / Math.Sqrt(inputs * kernel * kernel), generator, outputs, inputs, kernel, kernel);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.conv2d(input, _weight, null, _stride, _padding);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add(
        "Conv",
        [input, graph.Constant(_weight)],
        ("kernel_shape", new long[] { _kernel, _kernel }),
        ("strides", _stride),
        ("pads", new[] { _padding[0], _padding[1], _padding[0], _padding[1] }));
}
