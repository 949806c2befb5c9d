using MlNetDistill.Core;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>A fully connected layer: x·Wᵀ + b, with PyTorch's default initialization U(±1/√inputs).</summary>
public sealed class Linear : Block, IGradientBlock
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
    public override Tensor forward(Tensor input)
    {
        if (IsIdentity)
            return input.alias();
        if (!LayerPrecision.IsBFloat16)
            return functional.linear(input, _weight, _bias);
        // Autograd returns from a rounded copy to its parameter with a gradient in 32-bit floats.
        using var scope = NewDisposeScope();
        return functional.linear(input.to(bfloat16), _weight.to(bfloat16), _bias.to(bfloat16)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        IsIdentity ? input : graph.Add("Gemm", [input, graph.Constant(_weight), graph.Constant(_bias)], ("transB", 1L));

    bool IGradientBlock.Trains => _weight.requires_grad || _bias.requires_grad;

    Tensor? IGradientBlock.Backward(Tensor input, Tensor output, Tensor gradient, bool needsInput)
    {
        if (IsIdentity)
            return gradient;
        if (_weight.requires_grad)
        {
            using var transposed = gradient.t();
            AddGradient(_weight, transposed.mm(input));
        }

        if (_bias.requires_grad)
        {
            // On the CPU a product with ones is several times as fast as sum(0).
            using var ones = gradient.new_ones(1, gradient.shape[0]);
            AddGradient(_bias, ones.mm(gradient).view(-1));
        }

        return needsInput ? gradient.mm(_weight) : null;
    }

    private static void AddGradient(Tensor parameter, Tensor gradient) => parameter.grad = parameter.grad?.AddInPlace(gradient) ?? gradient;

    /// <summary>The identity of <paramref name="size"/> values.</summary>
    internal static Linear Identity(int size) => new(size);
}
