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
