using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class ImageAugmentationTests
{
    [Test]
    public void A_crop_is_the_image_shifted_with_zeros_moved_in()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(40, 2, 5, 7);
        var cropped = Viewed.All(set, Augmentation.RandomCrop(2)).Features;
        var offsets = new HashSet<(int, int)>();
        for (var row = 0; row < 40; row++)
        {
            var found = Shifts(2).Where(s => Equal(cropped[row], Shifted(set.AllFeatures()[row], s.Down, s.Right))).ToArray();
            Assert.That(found, Has.Length.EqualTo(1), $"row {row}");
            offsets.Add(found[0]);
        }

        Assert.That(offsets, Has.Count.GreaterThan(15));
    }

    [Test]
    public void Every_shift_is_as_likely()
    {
        using var scope = NewDisposeScope();
        // One bright pixel in the middle shows the shift.
        const int Rows = 20_000;
        var pixels = zeros(Rows, 1, 5, 5, ScalarType.Byte);
        pixels[TensorIndex.Colon, TensorIndex.Single(0), TensorIndex.Single(2), TensorIndex.Single(2)] = 1;
        using var set = Toy.Set(pixels, new long[Rows], InputShape.Image(1, 5, 5), 2);
        var counts = Near.Values(Viewed.All(set, Augmentation.RandomCrop(2)).Features.to(int64).sum([0]));
        // 25 places with 800 rows each, deviation 28.
        Assert.That(counts.Sum(), Is.EqualTo(Rows));
        Assert.That(counts, Has.All.InRange(800 - 140, 800 + 140));
    }

    [Test]
    public void A_flip_mirrors_about_its_share_of_the_rows_and_leaves_the_others()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(4000, 1, 2, 3);
        var flipped = Viewed.All(set, Augmentation.HorizontalFlip(0.3)).Features;
        var mirrored = Rows(flipped.eq(set.AllFeatures().flip(3)));
        var same = Rows(flipped.eq(set.AllFeatures()));
        Assert.That(mirrored.Zip(same, (m, s) => m || s), Is.All.True);
        Assert.That(mirrored.Count(m => m), Is.EqualTo(1200).Within(150));

        static bool[] Rows(Tensor equal) => [.. Near.Values(equal.reshape(4000, -1).all(1).to(int64)).Select(v => v == 1)];
    }

    [TestCase(0, 0)]
    [TestCase(1, 1)]
    public void A_probability_of_zero_flips_nothing_and_one_everything(double probability, int all)
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(50, 1, 2, 3);
        var flipped = Viewed.All(set, Augmentation.HorizontalFlip(probability)).Features;
        Assert.That(Equal(flipped, all == 1 ? set.AllFeatures().flip(3) : set.AllFeatures()), Is.True);
    }

    [Test]
    public void Bytes_stay_bytes_and_floats_floats()
    {
        using var scope = NewDisposeScope();
        using var bytes = Viewed.Bytes(6, 1, 8, 8);
        using var floats = Toy.Images(6);
        foreach (var augmentation in new[] { Augmentation.RandomCrop(), Augmentation.HorizontalFlip(), Augmentation.CutMix() })
        {
            Assert.That(Viewed.All(bytes, augmentation).Features.dtype, Is.EqualTo(ScalarType.Byte), $"{augmentation}");
            Assert.That(Viewed.All(floats, augmentation).Features.dtype, Is.EqualTo(ScalarType.Float32), $"{augmentation}");
        }

        Assert.That(Viewed.All(bytes, Augmentation.Mixup(1)).Features.dtype, Is.EqualTo(ScalarType.Float32));
        Assert.That(Viewed.All(bytes, Augmentation.GaussianNoise(1)).Features.dtype, Is.EqualTo(ScalarType.Float32));
    }

    private static IEnumerable<(int Down, int Right)> Shifts(int most) =>
        from down in Enumerable.Range(-most, (2 * most) + 1)
        from right in Enumerable.Range(-most, (2 * most) + 1)
        select (down, right);

    /// <summary>By hand: where the source lies outside there are zeros.</summary>
    private static Tensor Shifted(Tensor image, int down, int right)
    {
        var (channels, height, width) = ((int)image.shape[0], (int)image.shape[1], (int)image.shape[2]);
        var from = image.contiguous().data<byte>().ToArray();
        var to = new byte[from.Length];
        for (var c = 0; c < channels; c++)
        {
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    if (y - down is var sy && x - right is var sx && sy >= 0 && sy < height && sx >= 0 && sx < width)
                        to[(((c * height) + y) * width) + x] = from[(((c * height) + sy) * width) + sx];
                }
            }
        }

        return tensor(to).reshape(image.shape);
    }

    private static bool Equal(Tensor a, Tensor b) => a.eq(b).all().item<bool>();
}
