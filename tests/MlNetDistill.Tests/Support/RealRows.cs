using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Support;

/// <summary>The data excerpts of the Models folder as data views.</summary>
internal static class RealRows
{
    private const int CifarRecord = 2 + (3 * 32 * 32);

    public static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "Models", file);

    /// <summary>CIFAR-100 pictures as bytes 3×32×32; the fine class is a key of 100 without values.</summary>
    public static IDataView Pictures(this MLContext context, int count = 256)
    {
        var definition = SchemaDefinition.Create(typeof(CifarPicture));
        definition["Class"].ColumnType = new KeyDataViewType(typeof(uint), 100);
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, 3, 32, 32);
        var records = File.ReadAllBytes(PathOf("cifar100-first256.bin")).Chunk(CifarRecord).Take(count);
        return context.Data.LoadFromEnumerable(records.Select(r => new CifarPicture { Class = r[1], Features = r[2..] }).ToArray(), definition);
    }

    /// <summary>Letters: <c>Label</c> (text), <c>Features</c> 0..15.</summary>
    public static IDataView Letters(this MLContext context) => context.Data.LoadFromEnumerable(
        File.ReadAllLines(PathOf("letter-16001-16500.csv")).Select(line => line.Split(',')).Select(c => new Vector16 { Label = c[0], Features = [.. c.Skip(1).Select(Number)] }).ToArray());

    /// <summary>MNIST digits as bytes 784; <c>Label</c> is the digit as text.</summary>
    public static IDataView Digits(this MLContext context) => context.Data.LoadFromEnumerable(
        File.ReadAllBytes(PathOf("mnist-first200-images.bin")).Chunk(784).Zip(File.ReadAllBytes(PathOf("mnist-first200-labels.bin")))
            .Select(p => new Digit { Label = p.Second.ToString(CultureInfo.InvariantCulture), Features = p.First }).ToArray());

    /// <summary>Irises: <c>Label</c> (text), <c>Features</c> in cm.</summary>
    public static IDataView Irises(this MLContext context) => context.Data.LoadFromEnumerable(
        File.ReadAllLines(PathOf("iris.data")).Where(line => line != "").Select(line => line.Split(','))
            .Select(c => new Iris { Label = c[4], Features = [.. c.Take(4).Select(Number)] }).ToArray());

    private static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);

    private sealed class CifarPicture
    {
        // Typed rows count keys from 0.
        public uint Class { get; set; }

        public byte[] Features { get; set; } = [];
    }

    private sealed class Vector16
    {
        public string Label { get; set; } = "";

        [VectorType(16)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Digit
    {
        public string Label { get; set; } = "";

        [VectorType(784)]
        public byte[] Features { get; set; } = [];
    }

    private sealed class Iris
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }
}
