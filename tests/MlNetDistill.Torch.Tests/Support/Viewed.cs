using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Views of small sets in a few words.</summary>
internal static class Viewed
{
    /// <summary>The rows at <paramref name="positions"/> in a view, all rows being trained on. The tensors belong to the current dispose scope.</summary>
    public static Batch Create(IRowSource set, Augmentation[] augmentations, long[] positions, int view = 1, int seed = 1)
    {
        var all = arange(set.Count, int64);
        using var views = new AugmentedViews(augmentations, seed, all, set.Classes());
        return views.GetBatch(set, tensor(positions), view);
    }

    /// <summary>All rows of a set in a view.</summary>
    public static Batch All(IRowSource set, Augmentation augmentation, int view = 1, int seed = 1) =>
        Create(set, [augmentation], [.. Enumerable.Range(0, (int)set.Count).Select(i => (long)i)], view, seed);

    /// <summary>Byte images in which every pixel differs from its neighbours and from the same pixel of the other rows; labels in turn.</summary>
    public static InMemoryRows Bytes(int rows, int channels, int height, int width, int classes = 3)
    {
        var pixels = new byte[rows * channels * height * width];
        new Random(3).NextBytes(pixels);
        return Toy.Set(
            tensor(pixels).reshape(rows, channels, height, width),
            [.. Enumerable.Range(0, rows).Select(i => (long)(i % classes))],
            InputShape.Image(channels, height, width),
            classes);
    }

    /// <summary>Images of one value each: row i is all i + 1.</summary>
    public static InMemoryRows Flat(int rows, int height, int width, long[]? labels = null, float[]? weights = null) => Toy.Set(
        arange(1, rows + 1).to(ScalarType.Byte).reshape(rows, 1, 1, 1).expand(rows, 1, height, width).contiguous(),
        labels ?? [.. Enumerable.Range(0, rows).Select(i => (long)(i % 3))],
        InputShape.Image(1, height, width),
        3,
        weights);
}
