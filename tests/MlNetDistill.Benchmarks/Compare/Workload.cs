using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>A pair of networks with rows made up for it: what the rows hold makes no difference to the time.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Rows">Training rows, a multiple of all batch sizes.</param>
/// <param name="Shape">Shape of a row: floats of a vector, bytes of an image.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Student">The student.</param>
/// <param name="Teacher">The teacher.</param>
internal sealed record Workload(string Name, int Rows, InputShape Shape, int Classes, Workload.Layers Student, Workload.Layers Teacher)
{
    public static readonly IReadOnlyList<Workload> All =
    [
        new("mlp", 16_384, InputShape.Vector(16), 26, new([128]), new([512, 512])),
        new("resnet8", 2048, InputShape.Image(1, 28, 28), 10, new([8, 16, 32], 1), new([32, 64, 128], 1)),
        new("resnet20", 2048, InputShape.Image(3, 32, 32), 10, new([16, 32, 64], 3), new([32, 64, 128], 3)),
    ];

    public static Workload Find(string name) => All.Single(workload => workload.Name == name);

    public IDataView CreateView(MLContext context)
    {
        var random = new Random(5);
        return Shape.IsImage
            ? View(context, row => new ImageRow { Class = KeyOf(row), Features = [.. Enumerable.Range(0, (int)Shape.Length).Select(_ => (byte)random.Next(256))] })
            : View(context, row => new VectorRow { Class = KeyOf(row), Features = [.. Enumerable.Range(0, (int)Shape.Length).Select(_ => random.NextSingle())] });
    }

    // ML.NET adds 1 to the values of keys of an object.
    private uint KeyOf(int row) => (uint)(row % Classes);

    private IDataView View<T>(MLContext context, Func<int, T> create)
        where T : class
    {
        var schema = SchemaDefinition.Create(typeof(T));
        schema["Features"].ColumnType = new VectorDataViewType((PrimitiveDataViewType)((VectorDataViewType)schema["Features"].ColumnType).ItemType, (int)Shape.Length);
        schema["Class"].ColumnType = new KeyDataViewType(typeof(uint), Classes);
        return context.Data.LoadFromEnumerable(Enumerable.Range(0, Rows).Select(create).ToArray(), schema);
    }

    /// <summary>The layers of a network.</summary>
    /// <param name="Widths">Units of the hidden layers; with blocks channels of the three parts.</param>
    /// <param name="Blocks">Residual blocks in each part; 0 for a perceptron.</param>
    internal sealed record Layers(int[] Widths, int Blocks = 0)
    {
        public NetworkSpec ToSpec(InputShape shape) => Blocks == 0 ? NetworkSpec.Mlp(Widths) : NetworkSpec.ResNet((6 * Blocks) + 2, shape, Widths);
    }

    private sealed class VectorRow
    {
        public uint Class { get; set; }

        [VectorType]
        public float[] Features { get; set; } = [];
    }

    private sealed class ImageRow
    {
        public uint Class { get; set; }

        [VectorType]
        public byte[] Features { get; set; } = [];
    }
}
