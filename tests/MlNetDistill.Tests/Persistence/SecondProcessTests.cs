using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;

namespace MlNetDistill.Tests.Persistence;

/// <summary>A saved student in a process that knows ML.NET and ONNX Runtime only.</summary>
public sealed class SecondProcessTests
{
    private const double Tolerance = 1e-4;
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void An_mlp_scores_there_as_here_and_as_in_torch() => Check(NetworkSpec.Mlp(16, 8), _mlContext.View(ToyData.Points()));

    [Test]
    public void A_linear_student_scores_there_as_here_and_as_in_torch() => Check(NetworkSpec.Mlp(), _mlContext.View(ToyData.Points()));

    [Test]
    public void A_linear_student_of_bytes_scores_there_as_here_and_as_in_torch() => Check(NetworkSpec.Mlp(), _mlContext.View(ToyData.Images()), "Pixels");

    [Test]
    public void A_student_of_two_classes_scores_there_as_here_and_as_in_torch() => Check(NetworkSpec.Mlp(8), _mlContext.View(ToyData.Points(classes: 2)));

    [Test]
    public void An_mlp_of_sparse_features_scores_there_as_here_and_as_in_torch() => Check(NetworkSpec.Mlp(8), _mlContext.View(ToyData.SparseRows()));

    [Test]
    public void An_mlp_of_sparse_bytes_scores_there_as_here_and_as_in_torch() => Check(NetworkSpec.Mlp(8), _mlContext.View(ToyData.SparseBytes()));

    [Test]
    public void A_resnet_of_bytes_with_trained_batch_norm_scores_there_as_here_and_as_in_torch() =>
        AssertTrainedStatistics(Check(ToyPipelines.SmallResNet, _mlContext.View(ToyData.Images()), "Pixels"));

    [Test]
    public void A_resnet_of_floats_with_trained_batch_norm_scores_there_as_here_and_as_in_torch()
    {
        var floats = _mlContext.Transforms.Conversion.ConvertType("Pixels", outputKind: Microsoft.ML.Data.DataKind.Single);
        var images = _mlContext.View(ToyData.Images());
        AssertTrainedStatistics(Check(ToyPipelines.SmallResNet, floats.Fit(images).Transform(images), "Pixels"));
    }

    [Test]
    public void The_loader_has_neither_this_package_nor_TorchSharp()
    {
        var own = Path.GetFileName(ToyLoader.AssemblyPath);
        var libraries = Directory.EnumerateFiles(Path.GetDirectoryName(ToyLoader.AssemblyPath)!, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetFileName(file)!)
            .Where(file => file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) || file.Contains(".so", StringComparison.OrdinalIgnoreCase))
            .ToArray();
        Assert.That(libraries, Does.Contain("Microsoft.ML.OnnxTransformer.dll"));
        Assert.That(libraries.Where(file => file != own && (file.Contains("Torch") || file.Contains("MlNetDistill"))), Is.Empty);
    }

    private DistillationTransformer Check(NetworkSpec student, IDataView rows, string featureColumn = "Features")
    {
        var options = ToyPipelines.Options(student) with { FeatureColumnName = featureColumn };
        var fitted = _mlContext.Pipeline(options).Fit(rows);
        var model = fitted.Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(fitted.Transform(rows)));
        var here = model.Transform(rows);
        Assert.That(ModelScores.ReadLines(here).Distinct().Count(), Is.GreaterThan(10), "scores of different rows should differ");
        Assert.That(ToyLoader.Score(_mlContext, model, rows), Is.EqualTo(ModelScores.ReadLines(here)));
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(here), ModelScores.ComputeWithNetwork(fitted.LastTransformer, rows)), Is.LessThanOrEqualTo(Tolerance));
        return fitted.LastTransformer;
    }

    private static void AssertTrainedStatistics(DistillationTransformer student)
    {
        using var network = student.Model.ToNetwork();
        foreach (var normalization in network.modules().OfType<BatchNormalization>())
        {
            foreach (var (name, statistic) in normalization.named_buffers(recurse: false))
            {
                using var initial = name.Contains("mean") ? torch.zeros_like(statistic) : torch.ones_like(statistic);
                Assert.That(statistic.allclose(initial), Is.False, name);
            }
        }
    }
}
