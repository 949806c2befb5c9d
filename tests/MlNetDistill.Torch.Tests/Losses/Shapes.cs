using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The shapes of outputs, as a network of that kind would report them.</summary>
internal static class Shapes
{
    /// <summary>Stage features like these.</summary>
    public static OutputShapes FromFeatures(params Tensor[] stages) => OfStages([.. stages.Select(s => s.shape[1..])]);

    /// <summary>Stage features of these dimensions, without the batch axis.</summary>
    public static OutputShapes OfStages(params long[][] stages) => new(10) { StageFeatures = stages };

    /// <summary>An embedding of this length.</summary>
    public static OutputShapes OfEmbedding(int length) => new(10, length, []);
}
