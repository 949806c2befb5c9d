using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Extending.Tests;

/// <summary>Points of two classes, on either side of a line, and short fits over them.</summary>
internal static class Points
{
    public const int Count = 96;

    public static DistillationOptions Options { get; } = new()
    {
        Student = NetworkSpec.Mlp(8),
        Method = DistillationMethod.LabelsOnly(),
        LabelColumnName = "Class",
        Epochs = 6,
        BatchSize = 16,
        Seed = 1,
    };

    public static IDataView View(MLContext context)
    {
        var random = new Random(1);
        var rows = context.Data.LoadFromEnumerable(Enumerable.Range(0, Count).Select(i =>
        {
            var (x, y) = ((2 * random.NextSingle()) - 1, (2 * random.NextSingle()) - 1);
            return new Point { Features = [x, y], Label = i is 0 or 1 ? (i == 0 ? "below" : "above") : x + y < 0 ? "below" : "above" };
        }).ToArray());
        return context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(rows).Transform(rows);
    }

    public static DistillationTransformer Fit(DistillationOptions options)
    {
        var context = new MLContext(seed: 1);
        return context.MulticlassClassification.Trainers.Distill(options).Fit(View(context));
    }

    public static float[] Scores(this ITransformer model) =>
        [.. model.Transform(View(new MLContext(seed: 1))).GetColumn<float[]>("Score").SelectMany(scores => scores)];

    public static double Accuracy(this ITransformer model)
    {
        var context = new MLContext(seed: 1);
        return context.MulticlassClassification.Evaluate(model.Transform(View(context)), labelColumnName: "Class").MicroAccuracy;
    }

    private sealed class Point
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }
}
