using System.Runtime.CompilerServices;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Small training sets made in code, the same for the same seed.</summary>
internal static class Toy
{
    private static readonly ConditionalWeakTable<IRowSource, object> NumbersOfClasses = [];

    /// <summary>Classes as clouds: class c lies at 3 on axis c, the noise has deviation <paramref name="noise"/>.</summary>
    public static InMemoryRows Clouds(int rows = 96, int classes = 3, int length = 4, int seed = 1, double noise = 0.5, int shiftLabels = 0, double scale = 1)
    {
        var random = new Random(seed);
        var features = new float[rows, length];
        var labels = new long[rows];
        for (var i = 0; i < rows; i++)
        {
            labels[i] = (i + shiftLabels) % classes;
            for (var j = 0; j < length; j++)
                features[i, j] = (float)(scale * ((j == i % classes ? 3 : 0) + (noise * Normal(random))));
        }

        return Set(tensor(features), labels, InputShape.Vector(length), classes);
    }

    /// <summary>Images of two classes: the brighter half is the left or the right one.</summary>
    public static InMemoryRows Images(int rows = 32, int side = 8, int seed = 1)
    {
        var random = new Random(seed);
        var pixels = new float[rows * side * side];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (row, x) = (i / (side * side), i % side);
            pixels[i] = (float)((x < side / 2 == (row % 2 == 0) ? 1 : 0) + (0.3 * Normal(random)));
        }

        var labels = Enumerable.Range(0, rows).Select(i => (long)(i % 2)).ToArray();
        return Set(tensor(pixels).reshape(rows, 1, side, side), labels, InputShape.Image(1, side, side), 2);
    }

    /// <summary>A set with rows 0, 1, 2, … as identities.</summary>
    public static InMemoryRows Set(Tensor features, long[] labels, InputShape shape, int classes, float[]? weights = null)
    {
        var set = new InMemoryRows(
            features.DetachFromDisposeScope(),
            tensor(labels).DetachFromDisposeScope(),
            Ids(labels.Length),
            shape,
            weights is null ? null : tensor(weights).DetachFromDisposeScope());
        NumbersOfClasses.Add(set, classes);
        return set;
    }

    /// <summary>The number of classes that a set was made with; of other rows the largest label decides.</summary>
    public static int Classes(this IRowSource set) =>
        NumbersOfClasses.TryGetValue(set, out var classes) ? (int)classes : (int)set.Labels.data<long>().Max() + 1;

    public static RowIds Ids(int count) => RowIds.From(Enumerable.Range(0, count).Select(i => new RowId((ulong)i, 0)));

    /// <summary>The features of all rows, on the CPU.</summary>
    public static Tensor AllFeatures(this IRowSource rows) => rows.Gather(arange(rows.Count), CPU);

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
