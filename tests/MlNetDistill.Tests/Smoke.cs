using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests;

public sealed class Smoke
{
    private sealed class Point { public string Label { get; set; } = ""; [VectorType(2)] public float[] Features { get; set; } = []; }

    [Test]
    public void Works()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 900).Select(i =>
        {
            var c = i % 3;
            return new Point { Label = "abc"[c].ToString(), Features = [(float)(Math.Cos(c * 2.1) * 2 + random.NextDouble()), (float)(Math.Sin(c * 2.1) * 2 + random.NextDouble())] };
        }).ToArray();
        var mlContext = new MLContext(seed: 1);
        mlContext.Log += (_, e) => { if (e.Source.Contains("Distill")) TestContext.Progress.WriteLine(e.Message); };
        var train = mlContext.Data.LoadFromEnumerable(rows);
        var forest = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.MulticlassClassification.Trainers.OneVersusAll(mlContext.BinaryClassification.Trainers.FastTree())).Fit(train);
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false))
            .Append(mlContext.MulticlassClassification.Trainers.Distill(
                teacher: Teacher.FromTransformer(forest, scoreColumnName: "Score"),
                student: Student.Mlp(64, 32),
                method: DistillationMethod.Kd(temperature: 4, alpha: 0.9),
                labelColumnName: "Class", featureColumnName: "Scaled"))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var model = pipeline.Fit(train);
        mlContext.Model.Save(model, train.Schema, "/tmp/student.zip");
        var loaded = mlContext.Model.Load("/tmp/student.zip", out _);
        var a = mlContext.MulticlassClassification.Evaluate(model.Transform(train), "Class");
        var b = mlContext.MulticlassClassification.Evaluate(loaded.Transform(train), "Class");
        Assert.That(a.MicroAccuracy, Is.GreaterThan(0.9));
        Assert.That(b.LogLoss, Is.EqualTo(a.LogLoss));
    }
}
