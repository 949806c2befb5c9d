using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>A fully connected layer: x·Wᵀ + b, with PyTorch's default initialization U(±1/√inputs).</summary>
public sealed class Linear : Block
{
    // Parameters, or buffers where nothing is to be trained.
    private readonly Tensor _weight;
    private readonly Tensor _bias;

    /// <summary>A layer from <paramref name="inputs"/> to <paramref name="outputs"/> values.</summary>
    public Linear(int inputs, int outputs, Generator generator)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        var bound = 1 / Math.Sqrt(inputs);
        _weight = WeightInitialization.Uniform(bound, generator, outputs, inputs);
        _bias = WeightInitialization.Uniform(bound, generator, outputs);
        RegisterComponents();
    }

    private Linear(int size)
    {
        _weight = eye(size, dtype: float32, device: WeightMemory.Reserve(size, size));
        _bias = WeightInitialization.Zeros(size);
        IsIdentity = true;
        RegisterComponents();
    }

    /// <summary>Weights, outputs×inputs.</summary>
    public Tensor Weight => _weight;

    /// <summary>Biases, one for each output.</summary>
    public Tensor Bias => _bias;

    /// <summary>Whether this layer returns its input: an identity matrix and no bias, not trained.</summary>
    public bool IsIdentity { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => IsIdentity ? input.alias() : functional.linear(input, _weight, _bias);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        IsIdentity ? input : graph.Add("Gemm", [input, graph.Constant(_weight), graph.Constant(_bias)], ("transB", 1L));

    /// <summary>The identity of <paramref name="size"/> values.</summary>
    internal static Linear Identity(int size) => new(size);
}
