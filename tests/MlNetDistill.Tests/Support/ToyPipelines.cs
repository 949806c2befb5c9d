using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests.Support;

/// <summary>Short trainings of small students.</summary>
internal static class ToyPipelines
{
    public static readonly NetworkSpec SmallMlp = NetworkSpec.Mlp(8);

    public static readonly NetworkSpec SmallResNet = NetworkSpec.ResNet(8, 4, 4, 8);

    /// <summary>Labels alone, a few epochs; the label is the key column Class.</summary>
    public static DistillationOptions Options(NetworkSpec? student = null) => new()
    {
        Student = student ?? SmallMlp,
        Method = DistillationMethod.LabelsOnly(),
        LabelColumnName = "Class",
        Epochs = 8,
        BatchSize = 32,
        Seed = 1,
        Optimizer = Optimizer.AdamW(0.02),
    };

    /// <summary>A key column Class made of Label, then the student.</summary>
    public static EstimatorChain<DistillationTransformer> Pipeline(this MLContext mlContext, DistillationOptions options) =>
        mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Append(mlContext.MulticlassClassification.Trainers.Distill(options));

    public static TransformerChain<DistillationTransformer> FitPoints(this MLContext mlContext) =>
        mlContext.Pipeline(Options()).Fit(mlContext.View(ToyData.Points()));

    public static TransformerChain<DistillationTransformer> FitImages(this MLContext mlContext) =>
        mlContext.Pipeline(Options(SmallResNet) with { FeatureColumnName = "Pixels", Epochs = 4 }).Fit(mlContext.View(ToyData.Images()));

    /// <summary>A pipeline of ML.NET's own that can teach: it reads Label and Features and writes TeacherClass, Score and PredictedLabel.</summary>
    public static IEstimator<ITransformer> TeacherPipeline(this MLContext mlContext) => mlContext.Transforms.Conversion
        .MapValueToKey("TeacherClass", "Label")
        .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass"));

    /// <summary>What a model is after saving and loading, without a file.</summary>
    public static ITransformer Reloaded(this MLContext mlContext, ITransformer model, DataViewSchema inputSchema) => mlContext.Loaded(mlContext.Saved(model, inputSchema));

    public static byte[] Saved(this MLContext mlContext, ITransformer model, DataViewSchema inputSchema)
    {
        using var zip = new MemoryStream();
        mlContext.Model.Save(model, inputSchema, zip);
        return zip.ToArray();
    }
}
