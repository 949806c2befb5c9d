using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>Small classification problems and students, for measurements of which only the number counts.</summary>
internal static class LifeSample
{
    public static Point[] Points(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Point { Label = (uint)(i % 3), Features = [random.NextSingle() + (i % 3), random.NextSingle(), random.NextSingle() - (i % 3), 1] })];
    }

    public static IDataView View(MLContext mlContext, int count, int seed)
    {
        var schema = SchemaDefinition.Create(typeof(Point));
        schema[nameof(Point.Label)].ColumnType = new KeyDataViewType(typeof(uint), 3);
        return mlContext.Data.LoadFromEnumerable(Points(count, seed), schema);
    }

    /// <summary>Trains a student and saves it.</summary>
    public static string Save(string folder, int seed)
    {
        var mlContext = new MLContext(seed);
        var view = View(mlContext, 300, seed);
        var path = Path.Combine(folder, FormattableString.Invariant($"{seed}.zip"));
        var student = mlContext.MulticlassClassification.Trainers.Distill(Short(seed)).Fit(view);
        mlContext.Model.SaveAtomically(student, mlContext.Data.LoadFromEnumerable<Unlabelled>([]).Schema, path);
        return path;
    }

    /// <summary>The shortest training.</summary>
    public static DistillationOptions Short(int seed) => new() { Student = NetworkSpec.Mlp(8), Method = DistillationMethod.LabelsOnly(), Epochs = 1, BatchSize = 64, Seed = seed };

    /// <summary>What a client knows of a point.</summary>
    private sealed class Unlabelled
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    internal sealed class Point
    {
        public uint Label { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }
}
