using BenchmarkDotNet.Attributes;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>Time to score one row through a <c>PredictionEngine</c>.</summary>
public class ScoringBenchmarks
{
    private PredictionEngine<Row, Scored> _engine = null!;
    private Row _row = null!;

    /// <summary>Hidden layers of the student.</summary>
    [Params("linear", "128", "512-512")]
    public string Hidden { get; set; } = "";

    /// <summary>Trains a student for one epoch on random rows; what it learns does not matter for the time.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 520).Select(i => new Row
        {
            Label = $"{i % 26}",
            Features = [.. Enumerable.Range(0, 16).Select(_ => random.NextSingle())],
        }).ToArray();
        var context = new MLContext(seed: 1);
        var view = context.Data.LoadFromEnumerable(rows);
        int[] hidden = Hidden == "linear" ? [] : [.. Hidden.Split('-').Select(int.Parse)];
        var model = context.Transforms.Conversion.MapValueToKey("Label")
            .Append(context.MulticlassClassification.Trainers.Distill(NetworkSpec.Mlp(hidden), DistillationMethod.LabelsOnly(), epochs: 1))
            .Fit(view);
        _engine = context.Model.CreatePredictionEngine<Row, Scored>(model);
        _row = rows[0];
    }

    /// <summary>One row.</summary>
    [Benchmark]
    public float Predict() => _engine.Predict(_row).Score[0];

    private sealed class Row
    {
        public string Label { get; set; } = "";

        [VectorType(16)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}
