using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Tests.Support;

/// <summary>A row of the toy data: a point near the centre of its class.</summary>
internal sealed class Point
{
    public string Label { get; set; } = "";

    [VectorType(4)]
    public float[] Features { get; set; } = [];

    public float Weight { get; set; } = 1;

    public bool Held { get; set; }
}

/// <summary>Toy data and the shortest ways to fit a student to them.</summary>
internal static class Rows
{
    public static readonly string[] Classes = ["ash", "birch", "cedar"];

    private static readonly float[][] Centres = [[1.5f, 0, 0, 0.5f], [-1, 1.3f, 0, 0], [-1, -1.3f, 0.5f, 0]];

    /// <summary>Three classes in turn, well apart.</summary>
    public static Point[] Points(int count = 240, int seed = 5)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Point
        {
            Label = Classes[i % 3],
            Features = [.. Centres[i % 3].Select(c => c + (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))],
        })];
    }

    public static MLContext Context(int seed = 1) => new(seed);

    /// <summary>A view with the key column <c>Class</c>, its classes in alphabetical order, beside the columns of <typeparamref name="T"/>.</summary>
    public static IDataView Keyed<T>(this MLContext context, IEnumerable<T> rows)
        where T : class
    {
        var view = context.Data.LoadFromEnumerable(rows.ToArray());
        return context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(view).Transform(view);
    }

    /// <summary>Settings that train in well under a second.</summary>
    public static DistillationOptions Quick(Teacher? teacher = null) => new()
    {
        Teacher = teacher,
        Student = NetworkSpec.Mlp(8),
        Method = teacher is null ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(),
        LabelColumnName = "Class",
        Epochs = 6,
        BatchSize = 16,
        Optimizer = Optimizer.AdamW(0.03),
        Seed = 11,
    };

    public static DistillationTransformer Fit(this MLContext context, DistillationOptions options, IDataView view) =>
        context.MulticlassClassification.Trainers.Distill(options).Fit(view);

    public static float[][] Scores(this ITransformer model, IDataView view, string column = "Score") =>
        [.. model.Transform(view).GetColumn<float[]>(column)];

    public static int[] Predictions(this ITransformer model, IDataView view) =>
        [.. model.Scores(view).Select(s => Array.IndexOf(s, s.Max()))];

    public static double Agreement(IReadOnlyList<int> a, IReadOnlyList<int> b) => a.Zip(b, (x, y) => x == y ? 1.0 : 0).Average();

    public static double AccuracyOn(this ITransformer model, IReadOnlyList<Point> rows, IDataView view) =>
        Agreement(model.Predictions(view), [.. rows.Select(r => Array.IndexOf(Classes, r.Label))]);
}
