using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>The largest head that a service may have to bear: 1000 classes over 2048 features.</summary>
public sealed class LargeHeadTests
{
    private const int Classes = 1000;
    private const int Length = 2048;

    [Test]
    public void It_stays_within_2_ms_a_row_and_8_MB()
    {
        var random = new Random(1);
        Row[] rows = [.. Enumerable.Range(0, 1100).Select(i => new Row
        {
            Label = $"class {i % Classes}",
            Features = [.. Enumerable.Range(0, Length).Select(_ => random.NextSingle())],
        })];
        var mlContext = new MLContext(seed: 1);
        var model = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(mlContext.MulticlassClassification.Trainers.Distill(
                NetworkSpec.Mlp(), DistillationMethod.LabelsOnly(), labelColumnName: "Class", epochs: 1, batchSize: 256))
            .Fit(mlContext.Data.LoadFromEnumerable(rows));

        // Whatever else the machine does makes it slower, never faster.
        var options = new CostOptions { WarmupPredictions = 50, Predictions = 100, WarmupPasses = 0, Passes = 1 };
        var costs = Enumerable.Range(0, 5).Select(_ => mlContext.Model.MeasureCost(model, rows.Take(100), options: options)).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(costs.Min(cost => cost.SingleRow.Median), Is.LessThanOrEqualTo(2000), "µs a row");
            Assert.That(costs[0].ZipBytes, Is.LessThanOrEqualTo(8 * 1024 * 1024));
        });
    }

    private sealed class Row
    {
        public string Label { get; set; } = "";

        [VectorType(Length)]
        public float[] Features { get; set; } = [];
    }
}
