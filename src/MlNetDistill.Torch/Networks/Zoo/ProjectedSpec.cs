using System.Text.Json.Serialization;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A network whose embedding is projected to another length before its last layer, so that a layer made for embeddings of that length fits: the student of SimKD (Chen et al.
/// 2022). The projection is a part of the network and is exported with it.
/// </summary>
/// <remarks>
/// If the network ends in global average pooling, its last map is projected: 1×1 convolution to length / reduction channels, 3×3 convolution, 1×1 convolution to the length,
/// each without bias and followed by batch normalization and a rectifier, then the pooling, as in the authors' code (DefangChen/SimKD, models/util.py). Otherwise the embedding
/// is projected by a linear layer with bias, which is a choice of this library. The projection is the last tap.
/// </remarks>
public sealed record ProjectedSpec : NetworkSpec
{
    /// <summary>A network with a projection.</summary>
    /// <param name="network">The network; its last layer is replaced.</param>
    /// <param name="embeddingLength">Length of the projected embedding, at least 1.</param>
    /// <param name="reduction">How many times fewer channels the 3×3 convolution of a map's projection has, at least 1.</param>
    [JsonConstructor]
    public ProjectedSpec(NetworkSpec network, int embeddingLength, int reduction = 2)
    {
        (Network, EmbeddingLength, Reduction) = (network, embeddingLength, reduction);
        if (network is not null)
            InputScaling = network.InputScaling;
    }

    /// <summary>The network; its last layer is replaced.</summary>
    public NetworkSpec Network { get; }

    /// <summary>Length of the projected embedding.</summary>
    public int EmbeddingLength { get; }

    /// <summary>How many times fewer channels the 3×3 convolution of a map's projection has.</summary>
    public int Reduction { get; }

    /// <inheritdoc/>
    public override string Name => FormattableString.Invariant($"{Network?.Name}→{EmbeddingLength}");

    /// <inheritdoc/>
    public override bool NeedsImages => Network?.NeedsImages == true;

    /// <inheritdoc/>
    public override InputShape? Image => Network?.Image;

    /// <inheritdoc/>
    public override double DefaultLearningRate => Network?.DefaultLearningRate ?? base.DefaultLearningRate;

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() =>
    [
        .. Network is null ? ["A projected network needs the network that is projected; it is null."] : Network.Validate(),
        .. Faults.AtLeast(1, "The length of a projected embedding", EmbeddingLength),
        .. Faults.AtLeast(1, "The reduction of a projected network", Reduction),
    ];

    /// <inheritdoc/>
    public override string? ValidateShape(InputShape shape) => Network?.ValidateShape(shape);

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var plan = Network.CreatePlan(shape, logitCount, generator);
        if (plan.EndsInLogits)
            throw new ArgumentException($"{Network.Name} ends in its logits and has no embedding that could be projected. Give a network that ends in a linear layer.");
        var last = plan.Body.Count - 1;
        return last >= 0 && plan.Body[last] is GlobalAveragePool pool && !plan.Taps.Contains(last)
            ? AddProjection([.. plan.Body.Take(last), new Sequential(ProjectMap(plan.EmbeddingLength, generator)), pool], last)
            : AddProjection([.. plan.Body, new Linear(plan.EmbeddingLength, EmbeddingLength, generator)], plan.Body.Count);

        NetworkPlan AddProjection(IReadOnlyList<Block> body, int at) => new(body, [.. plan.Taps, at], EmbeddingLength);
    }

    private Block[] ProjectMap(int channels, Generator generator)
    {
        var inner = Math.Max(1, EmbeddingLength / Reduction);
        return [.. Convolve(channels, inner, 1, generator), .. Convolve(inner, inner, 3, generator), .. Convolve(inner, EmbeddingLength, 1, generator)];
    }

    private static Block[] Convolve(int inputs, int outputs, int kernel, Generator generator) =>
        [new Convolution(inputs, outputs, kernel, 1, generator), new BatchNormalization(outputs), new Relu()];
}
