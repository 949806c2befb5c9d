using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Support;

/// <summary>A point in the plane with two more numbers, of which the last says nothing about the class.</summary>
internal class ToyPoint<TLabel>
{
    public TLabel Label { get; set; } = default!;

    [VectorType(ToyData.Features)]
    public float[] Features { get; set; } = [];
}

/// <summary>A grey image of 8×8 bytes with a bright stripe, whose place is the class.</summary>
internal sealed class ToyImage
{
    public string Label { get; set; } = "";

    [VectorType(1, 8, 8)]
    public byte[] Pixels { get; set; } = [];
}

/// <summary>A row that is mostly zeros.</summary>
internal sealed class ToySparseRow
{
    public string Label { get; set; } = "";

    [VectorType(12)]
    public VBuffer<float> Features { get; set; }
}

/// <summary>A row of bytes that is mostly zeros.</summary>
internal sealed class ToySparseBytes
{
    public string Label { get; set; } = "";

    [VectorType(12)]
    public VBuffer<byte> Features { get; set; }
}

internal sealed class ToyScalarScore
{
    public float Score { get; set; }
}

/// <summary>Small classification problems that a student solves after a few epochs.</summary>
internal static class ToyData
{
    public const int Features = 4;

    private static readonly string[] Names = ["ant", "bee", "cat", "dog", "eel"];

    /// <summary>The class of row i. The order of first occurrence is not the alphabetical one, so that mixed-up classes show.</summary>
    public static int ClassOf(int row, int classes) => (row + 1) % classes;

    public static string NameOf(int row, int classes) => Names[ClassOf(row, classes)];

    public static ToyPoint<string>[] Points(int rows = 150, int classes = 3, int seed = 1) => Points(rows, classes, c => Names[c], seed);

    public static ToyPoint<TLabel>[] Points<TLabel>(int rows, int classes, Func<int, TLabel> label, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(i => ClassOf(i, classes)).Select(c => new ToyPoint<TLabel>
        {
            Label = label(c),
            Features =
            [
                (float)((2 * Math.Cos(2 * Math.PI * c / classes)) + random.NextDouble()),
                (float)((2 * Math.Sin(2 * Math.PI * c / classes)) + random.NextDouble()),
                c + (3 * random.NextSingle()),
                random.NextSingle(),
            ],
        })];
    }

    public static ToyImage[] Images(int rows = 120, int classes = 3, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(i => new ToyImage
        {
            Label = NameOf(i, classes),
            Pixels = [.. Enumerable.Range(0, 64).Select(p => (byte)(random.Next(60) + (p / 16 == ClassOf(i, classes) ? 150 : 0)))],
        })];
    }

    public static ToySparseRow[] SparseRows(int rows = 150, int classes = 3, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(i =>
        {
            var at = (4 * ClassOf(i, classes)) + random.Next(4);
            return new ToySparseRow { Label = NameOf(i, classes), Features = new VBuffer<float>(12, 1, [0.5f + random.NextSingle()], [at]) };
        })];
    }

    public static ToySparseBytes[] SparseBytes(int rows = 150, int classes = 3) =>
    [
        .. SparseRows(rows, classes).Select(row => new ToySparseBytes
        {
            Label = row.Label,
            Features = new VBuffer<byte>(12, 1, [(byte)(100 * row.Features.GetValues()[0])], row.Features.GetIndices().ToArray()),
        }),
    ];

    public static IDataView View<TRow>(this MLContext mlContext, TRow[] rows)
        where TRow : class => mlContext.Data.LoadFromEnumerable(rows);

    /// <summary>Points with the score of some other model beside them: one number, as a binary classifier gives.</summary>
    public static IDataView WithScalarScore(this MLContext mlContext, IDataView points) => mlContext.Transforms
        .CustomMapping<ToyPoint<string>, ToyScalarScore>((row, to) => to.Score = row.Features[0], null).Fit(points).Transform(points);

    /// <summary>The points under another name for their feature column.</summary>
    public static IDataView PointsUnder(this MLContext mlContext, string featureColumn)
    {
        var definition = SchemaDefinition.Create(typeof(ToyPoint<string>));
        definition[nameof(ToyPoint<string>.Features)].ColumnName = featureColumn;
        return mlContext.Data.LoadFromEnumerable(Points(), definition);
    }
}
