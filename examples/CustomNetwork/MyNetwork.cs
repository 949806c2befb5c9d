using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace CustomNetwork;

/// <summary>
/// Your own network, composed of blocks: a stem, residual units of two depthwise convolutions, a mean over the image. The blocks have both the computation and its
/// ONNX form.
/// </summary>
/// <param name="Width">Channels.</param>
/// <param name="Units">Number of residual units.</param>
internal sealed record MyNetwork(int Width, int Units) : NetworkSpec
{
    public override string Name => $"blocks {Width}x{Units}";

    public override bool NeedsImages => true;

    public override IEnumerable<string> Validate()
    {
        if (Width < 1 || Units < 1)
            yield return $"MyNetwork needs at least 1 channel and 1 unit; was {Width} and {Units}.";
    }

    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        List<Block> body = [new Convolution(shape.Channels, Width, kernel: 3, stride: 2, generator), new BatchNormalization(Width), new Relu()];
        for (var unit = 0; unit < Units; unit++)
            body.Add(new Sequential(new ResidualAdd(new Sequential([.. Half(generator), new Relu(), .. Half(generator)])), new Relu()));
        var lastMap = body.Count - 1;
        body.Add(new GlobalAveragePool());
        // The last linear layer, from these values to the classes, is added to every plan.
        return new NetworkPlan(body, Taps: [lastMap], EmbeddingLength: Width);
    }

    private Block[] Half(Generator generator) =>
    [
        new Convolution(Width, Width, kernel: 3, stride: 1, generator, groups: Width),
        new Convolution(Width, Width, kernel: 1, stride: 1, generator),
        new BatchNormalization(Width),
    ];
}
