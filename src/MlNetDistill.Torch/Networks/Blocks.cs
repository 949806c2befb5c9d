using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>A fully connected layer: x·Wᵀ + b, with PyTorch's default initialisation U(±1/√inputs).</summary>
public sealed class Dense : Block
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;

    /// <summary>A layer from <paramref name="inputs"/> to <paramref name="outputs"/> values.</summary>
    public Dense(int inputs, int outputs, Generator generator)
    {
        var bound = 1 / Math.Sqrt(inputs);
        _weight = Initial.Uniform(bound, generator, outputs, inputs);
        _bias = Initial.Uniform(bound, generator, outputs);
        RegisterComponents();
    }

    /// <summary>Weights, outputs×inputs.</summary>
    public Parameter Weight => _weight;

    /// <summary>Biases, one for each output.</summary>
    public Parameter Bias => _bias;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.linear(input, _weight, _bias);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add("Gemm", [input, graph.Constant(_weight), graph.Constant(_bias)], ("transB", 1L));
}

/// <summary>The rectifier max(x, 0).</summary>
public sealed class Relu : Block
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => functional.relu(input);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add("Relu", [input]);
}

/// <summary>A square convolution without bias, padded to keep the size at stride 1, initialised N(0, √(2 / (outputs·k²))) (He et al. 2015, fan-out).</summary>
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
        _weight = Initial.Normal(Math.Sqrt(2.0 / (outputs * kernel * kernel)), generator, outputs, inputs, kernel, kernel);
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

/// <summary>Batch normalisation over the channels of a map (Ioffe and Szegedy 2015), momentum 0.1, ε = 1e-5.</summary>
public sealed class BatchNormalization : Block
{
    private const double Momentum = 0.1;
    private const double Epsilon = 1e-5;
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly Tensor _mean;
    private readonly Tensor _variance;

    /// <summary>Normalisation of <paramref name="channels"/> channels.</summary>
    public BatchNormalization(int channels)
    {
        _weight = new Parameter(ones(channels));
        _bias = new Parameter(zeros(channels));
        _mean = zeros(channels);
        _variance = ones(channels);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) =>
        functional.batch_norm(input, _mean, _variance, _weight, _bias, training, Momentum, Epsilon);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add(
        "BatchNormalization",
        [input, graph.Constant(_weight), graph.Constant(_bias), graph.Constant(_mean), graph.Constant(_variance)],
        ("epsilon", (float)Epsilon));

    /// <summary>Draws statistics and weights away from their initial zeros and ones.</summary>
    internal void Perturb(Generator generator)
    {
        _mean.normal_(0, 0.2, generator);
        _variance.uniform_(0.5, 1.5, generator);
        _weight.uniform_(0.5, 1.5, generator);
        _bias.normal_(0, 0.2, generator);
    }
}

/// <summary>The mean of each channel over its map: B×C×H×W to B×C.</summary>
public sealed class GlobalAveragePool : Block
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input.mean([2, 3]);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add("Flatten", [graph.Add("GlobalAveragePool", [input])], ("axis", 1L));
}
