using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>A data set with its published split and the pair of networks that is measured on it.</summary>
/// <param name="Train">Training rows: <c>Label</c> (text) and <c>Features</c>.</param>
/// <param name="Test">Test rows.</param>
/// <param name="Teacher">The teacher's network.</param>
/// <param name="Student">The student's network.</param>
/// <param name="Normalize">Whether features are floats to be normalised in the pipeline.</param>
/// <param name="TeacherEpochs">Epochs of the teacher.</param>
/// <param name="StudentEpochs">Epochs of the student.</param>
/// <param name="WeightDecay">Weight decay of both.</param>
internal sealed record DataSet(
    IDataView Train, IDataView Test, NetworkSpec Teacher, NetworkSpec Student, bool Normalize, int TeacherEpochs, int StudentEpochs, double WeightDecay)
{
    public static DataSet Load(MLContext context, string name, string folder, int hidden) => name switch
    {
        "letter" => Letter(context, Path.Combine(folder, "letter-recognition", "letter-recognition.data"), hidden),
        "fashion" => Fashion(context, Path.Combine(folder, "fashion-mnist")),
        _ => throw new ArgumentException($"The data set must be 'letter' or 'fashion'; was '{name}'."),
    };

    private static DataSet Letter(MLContext context, string path, int hidden)
    {
        const int TrainingRows = 16_000; // the split of the data set's own paper
        var rows = File.ReadLines(path).Select(line => line.Split(',')).Select(cells => new VectorRow
        {
            Label = cells[0],
            Features = [.. cells.Skip(1).Select(c => float.Parse(c, CultureInfo.InvariantCulture))],
        }).ToArray();
        return new DataSet(
            View(context, rows[..TrainingRows], 16), View(context, rows[TrainingRows..], 16), NetworkSpec.Mlp(512, 512), NetworkSpec.Mlp(hidden), true, 40, 60, 1e-4);
    }

    private static DataSet Fashion(MLContext context, string folder)
    {
        var image = InputShape.Image(1, 28, 28);
        return new DataSet(
            Images(context, folder, "train"), Images(context, folder, "t10k"), NetworkSpec.ResNet(8, image, 32, 64, 128), NetworkSpec.ResNet(8, image, 8, 16, 32), false, 2, 2, 5e-4);
    }

    private static IDataView Images(MLContext context, string folder, string part)
    {
        var pixels = Idx(Path.Combine(folder, $"{part}-images-idx3-ubyte.gz"), 16);
        var labels = Idx(Path.Combine(folder, $"{part}-labels-idx1-ubyte.gz"), 8);
        var length = pixels.Length / labels.Length;
        return View(context, [.. labels.Select((label, i) => new ImageRow { Label = $"{label}", Features = pixels.AsSpan(i * length, length).ToArray() })], length);
    }

    private static byte[] Idx(string path, int header)
    {
        using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var buffer = new MemoryStream();
        file.CopyTo(buffer);
        var bytes = buffer.ToArray();
        var magic = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return magic is 0x801 or 0x803 ? bytes[header..] : throw new InvalidDataException($"'{path}' is no IDX file of bytes: its first word is {magic:x8}.");
    }

    private static IDataView View<T>(MLContext context, T[] rows, int length)
        where T : class
    {
        var schema = SchemaDefinition.Create(typeof(T));
        var features = schema["Features"];
        features.ColumnType = new VectorDataViewType((PrimitiveDataViewType)((VectorDataViewType)features.ColumnType).ItemType, length);
        return context.Data.LoadFromEnumerable(rows, schema);
    }

    private sealed class VectorRow
    {
        public string Label { get; set; } = "";

        [VectorType]
        public float[] Features { get; set; } = [];
    }

    private sealed class ImageRow
    {
        public string Label { get; set; } = "";

        [VectorType]
        public byte[] Features { get; set; } = [];
    }
}
