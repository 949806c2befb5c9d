using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Persistence;

/// <summary>The stand-alone ONNX classifier, run by ONNX Runtime without ML.NET.</summary>
public sealed class SaveOnnxTests
{
    private const double Tolerance = 1e-5;
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void An_mlp_gives_the_same_probabilities_and_classes() => Check<float>(NetworkSpec.Mlp(8), _mlContext.View(ToyData.Points()), "Features");

    [Test]
    public void A_linear_student_gives_the_same_probabilities_and_classes() => Check<float>(NetworkSpec.Mlp(), _mlContext.View(ToyData.Points()), "Features");

    [Test]
    public void A_resnet_of_bytes_gives_the_same_probabilities_and_classes() =>
        Check<byte>(ToyPipelines.SmallResNet, _mlContext.View(ToyData.Images()), "Pixels");

    [TestCase("Score")]
    [TestCase("Class")]
    [TestCase("c0")]
    [TestCase("t0_Gemm")]
    public void A_feature_column_may_be_named_like_a_tensor_of_the_graph(string name) =>
        Check<float>(NetworkSpec.Mlp(8), _mlContext.PointsUnder(name), name, name == "Class" ? "Key" : "Class");

    [Test]
    public void A_stream_that_cannot_seek_will_do()
    {
        var student = ToyModels.Points.LastTransformer;
        using var buffer = new MemoryStream();
        using (var zipped = new System.IO.Compression.GZipStream(buffer, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            student.SaveOnnx(zipped);
        Assert.That(buffer.Length, Is.Positive);
    }

    private void Check<T>(NetworkSpec spec, IDataView rows, string features, string label = "Class")
        where T : unmanaged
    {
        var score = features == "Score" ? "Probability" : "Score";
        var options = ToyPipelines.Options(spec) with { FeatureColumnName = features, LabelColumnName = label, ScoreColumnName = score };
        var trainer = _mlContext.MulticlassClassification.Trainers.Distill(options);
        var model = _mlContext.Transforms.Conversion.MapValueToKey(label, "Label").Append(trainer).Fit(rows);
        using var onnx = new MemoryStream();
        model.LastTransformer.SaveOnnx(onnx);
        using var session = new InferenceSession(onnx.ToArray());
        var values = rows.GetColumn<T[]>(features).ToArray();
        var input = new DenseTensor<T>(values.SelectMany(row => row).ToArray(), [values.Length, values[0].Length]);
        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames.Single(), input)]);
        var scored = model.Transform(rows);
        var probabilities = outputs[0].AsTensor<float>().ToArray().Chunk(model.LastTransformer.Model.Classes).ToArray();
        Assert.That(ModelScores.LargestDifference(probabilities, ModelScores.ReadScores(scored, score)), Is.LessThanOrEqualTo(Tolerance));
        Assert.That(outputs[1].AsTensor<long>().Select(index => index + 1), Is.EqualTo(scored.GetColumn<uint>("PredictedLabel").Select(key => (long)key)));
    }
}
