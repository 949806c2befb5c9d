using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.DeviceCheck;

/// <summary>Rows that a student learns in a few epochs, and a few real ones.</summary>
internal static class Samples
{
    public static readonly string[] Trees = ["ash", "birch", "cedar"];

    private static readonly float[][] Centres = [[1.5f, 0, 0, 0.5f], [-1, 1.3f, 0, 0], [-1, -1.3f, 0.5f, 0]];

    public static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "Models", file);

    /// <summary>Points near the centres of three classes; a fifth is <c>Held</c>.</summary>
    public static IDataView Points(this MLContext context, bool withoutSomeLabels = false)
    {
        var random = new Random(5);
        var rows = Enumerable.Range(0, 240).Select(i => new Point
        {
            Label = withoutSomeLabels && i % 4 == 3 ? "" : Trees[i % 3],
            Features = [.. Centres[i % 3].Select(c => c + (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))],
            Weight = 1 + (i % 2),
            Held = i % 5 == 0,
        }).ToArray();
        var view = context.Data.LoadFromEnumerable(rows);
        var names = context.Data.LoadFromEnumerable(Trees.Select(name => new { Label = name }));
        return context.Transforms.Conversion.MapValueToKey("Class", "Label", keyData: names).Fit(view).Transform(view);
    }

    /// <summary>Images of 3×8×8 bytes, bright above or below.</summary>
    public static IDataView Pictures(this MLContext context)
    {
        var random = new Random(3);
        return context.Keyed(Enumerable.Range(0, 96).Select(i => new Picture
        {
            Label = i % 2 == 0 ? "above" : "below",
            Features = [.. Enumerable.Range(0, 192).Select(p => (byte)((p % 64 < 32 == (i % 2 == 0) ? 140 : 0) + random.Next(100)))],
        }));
    }

    /// <summary>Images of 3×8×10 floats, of five classes that nobody could tell apart.</summary>
    public static IDataView Noise(this MLContext context)
    {
        var random = new Random(4);
        return context.Keyed(Enumerable.Range(0, 96).Select(i => new Picture80 { Label = $"{i % 5}", Features = [.. Enumerable.Range(0, 240).Select(_ => random.NextSingle())] }));
    }

    /// <summary>500 rows of letter-recognition, <c>Features</c> 0..15.</summary>
    public static IDataView Letters(this MLContext context) => context.Keyed(File.ReadAllLines(PathOf("letter-16001-16500.csv")).Select(line => line.Split(','))
        .Select(c => new Letter { Label = c[0], Features = [.. c.Skip(1).Select(v => float.Parse(v, CultureInfo.InvariantCulture))] }));

    /// <summary>256 pictures of CIFAR-100.</summary>
    public static IDataView Cifar(this MLContext context) =>
        context.Images(File.ReadAllBytes(PathOf("cifar100-first256.bin")).Chunk(2 + 3072).Select(r => new Image { Class = r[1], Features = r[2..] }));

    /// <summary>Made-up images of 3×32×32 bytes in 100 classes.</summary>
    public static IDataView MadeUp(this MLContext context, int count)
    {
        var random = new Random(6);
        return context.Images(Enumerable.Range(0, count).Select(i =>
        {
            var pixels = new byte[3072];
            random.NextBytes(pixels);
            return new Image { Class = (uint)(i % 100), Features = pixels };
        }));
    }

    public static int[] Labels(this IDataView view) => [.. view.GetColumn<uint>("Class").Select(k => (int)k - 1)];

    public static float[][] Scores(this ITransformer model, IDataView view) => [.. model.Transform(view).GetColumn<float[]>("Score")];

    public static int[] Classes(this float[][] scores) => [.. scores.Select(s => Array.IndexOf(s, s.Max()))];

    public static double Agreement(IReadOnlyList<int> a, IReadOnlyList<int> b) => a.Zip(b, (x, y) => x == y ? 1.0 : 0).Average();

    private static IDataView Keyed<T>(this MLContext context, IEnumerable<T> rows)
        where T : class
    {
        var view = context.Data.LoadFromEnumerable(rows.ToArray());
        return context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(view).Transform(view);
    }

    private static IDataView Images(this MLContext context, IEnumerable<Image> rows)
    {
        var definition = SchemaDefinition.Create(typeof(Image));
        definition["Class"].ColumnType = new KeyDataViewType(typeof(uint), 100);
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, 3, 32, 32);
        return context.Data.LoadFromEnumerable(rows.ToArray(), definition);
    }

    private sealed class Point
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Weight { get; set; }

        public bool Held { get; set; }
    }

    private sealed class Picture
    {
        public string Label { get; set; } = "";

        [VectorType(3, 8, 8)]
        public byte[] Features { get; set; } = [];
    }

    private sealed class Picture80
    {
        public string Label { get; set; } = "";

        [VectorType(3, 8, 10)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Letter
    {
        public string Label { get; set; } = "";

        [VectorType(16)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Image
    {
        // Typed rows count keys from 0.
        public uint Class { get; set; }

        public byte[] Features { get; set; } = [];
    }
}
