using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>Batch normalization over the channels of a map (Ioffe and Szegedy 2015), momentum 0.1, ε = 1e-5.</summary>
public sealed class BatchNormalization : Block
{
    internal const double DefaultMomentum = 0.1;
    private const double Epsilon = 1e-5;
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly Tensor _mean;
    private readonly Tensor _variance;

    /// <summary>Normalization of <paramref name="channels"/> channels, at least 1.</summary>
    public BatchNormalization(int channels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        _weight = new Parameter(WeightInitialization.Ones(channels));
        _bias = new Parameter(WeightInitialization.Zeros(channels));
        _mean = WeightInitialization.Zeros(channels);
        _variance = WeightInitialization.Ones(channels);
        RegisterComponents();
    }

    /// <summary>The share of a batch's statistics in the running ones.</summary>
    internal double Momentum { get; set; } = DefaultMomentum;

    /// <inheritdoc/>
    // Of a map in bfloat16 libtorch's kernels compute sums and statistics in 32-bit floats, as the parameters are, and round the result alone.
    public override Tensor forward(Tensor input) =>
        functional.batch_norm(input, _mean, _variance, _weight, _bias, training, Momentum, Epsilon);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) => graph.Add(
        "BatchNormalization",
        [input, graph.Constant(_weight), graph.Constant(_bias), graph.Constant(_mean), graph.Constant(_variance)],
        ("epsilon", (float)Epsilon));

    /// <summary>Draws weights away from their initial ones and zeros.</summary>
    internal void PerturbWeights(Generator generator)
    {
        _weight.uniform_(0.5, 1.5, generator);
        _bias.normal_(0, 0.2, generator);
    }
}
