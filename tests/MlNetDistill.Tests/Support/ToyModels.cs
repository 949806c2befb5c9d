using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Support;

/// <summary>Fitted models that tests share; models are immutable. A test that disposes one fits its own.</summary>
internal static class ToyModels
{
    private static readonly Lazy<TransformerChain<DistillationTransformer>> SharedPoints = new(() => new MLContext(seed: 1).FitPoints());
    private static readonly Lazy<TransformerChain<DistillationTransformer>> SharedImages = new(() => new MLContext(seed: 1).FitImages());

    public static TransformerChain<DistillationTransformer> Points => SharedPoints.Value;

    public static TransformerChain<DistillationTransformer> Images => SharedImages.Value;
}
