using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>What a student without hidden layers costs: 1000 classes over 2048 features.</summary>
internal static class Cost
{
    private const int Classes = 1000;
    private const int Length = 2048;

    public static void Run(Arguments arguments)
    {
        var random = new Random(1);
        // What it learns does not matter for what it costs; each class must occur.
        Row[] rows = [.. Enumerable.Range(0, Classes).Select(i => new Row
        {
            Label = $"class {i}",
            Features = [.. Enumerable.Range(0, Length).Select(_ => random.NextSingle())],
        })];
        var context = new MLContext(seed: 1);
        var model = context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(context.MulticlassClassification.Trainers.Distill(
                NetworkSpec.Mlp(), DistillationMethod.LabelsOnly(), labelColumnName: "Class", epochs: 1, batchSize: 256))
            .Fit(context.Data.LoadFromEnumerable(rows));
        Console.WriteLine($"{Classes} classes, {Length} features, {rows.Length} rows");
        for (var round = 1; round <= arguments.Rounds; round++)
        {
            var cost = context.Model.MeasureCost(model, rows);
            Console.WriteLine($"round {round}: engine {Text(cost.SingleRow)}; bulk {Text(cost.Batch)}; " +
                $"zip {cost.ZipBytes:N0} bytes; memory {cost.PeakMemoryBytes:N0} bytes");
        }
    }

    private static string Text(Latency latency) => $"{latency.Median:0.0} µs a row, 95 % within {latency.P95:0.0} ({latency.Measurements} measured)";

    private sealed class Row
    {
        public string Label { get; set; } = "";

        [VectorType(Length)]
        public float[] Features { get; set; } = [];
    }
}
