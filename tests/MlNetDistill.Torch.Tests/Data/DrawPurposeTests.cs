using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Augmented rows computed by hand from the random words of their purpose. Other draws would be as random, but a run that is repeated with a newer version would give another student, and the
/// cached answers of a teacher would be those for other views.
/// </summary>
public sealed class DrawPurposeTests
{
    private const int Rows = 40;
    private const int View = 3;
    private const int Seed = 7;
    private const double WordsCount = 1L << 32;

    [Test]
    public void A_row_is_flipped_where_its_first_word_is_below_the_probability()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(Rows, 1, 4, 6);
        var (high, _) = Words("0 flip");
        var (before, after) = (Images(set.AllFeatures()), Images(Viewed.All(set, Augmentation.HorizontalFlip(0.25), View, Seed).Features));
        for (var row = 0; row < Rows; row++)
            Assert.That(after[row], Is.EqualTo(high[row] < 1u << 30 ? before[row].Select((_, i) => before[row][(i / 6 * 6) + 5 - (i % 6)]) : before[row]), $"row {row}");
    }

    [Test]
    public void A_crop_is_moved_down_by_the_first_word_and_right_by_the_second()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(Rows, 1, 4, 6);
        var (high, low) = Words("0 offset");
        var (before, after) = (Images(set.AllFeatures()), Images(Viewed.All(set, Augmentation.RandomCrop(2), View, Seed).Features));
        for (var row = 0; row < Rows; row++)
        {
            var (down, right) = (Below(5, high[row]) - 2, Below(5, low[row]) - 2);
            var shifted = Enumerable.Range(0, 24).Select(i => (Y: (i / 6) + down, X: (i % 6) + right))
                .Select(from => from is { Y: >= 0 and < 4, X: >= 0 and < 6 } ? before[row][(from.Y * 6) + from.X] : 0);
            Assert.That(after[row], Is.EqualTo(shifted), $"row {row}");
        }
    }

    [Test]
    public void Noise_is_that_of_Box_and_Muller()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(Rows, length: 3);
        var (high, low) = Words("0 noise", 3);
        var expected = Near.Values(set.AllFeatures()).Select((value, i) => value + (0.5 * Math.Sqrt(-2 * Math.Log((high[i] + 1.0) / WordsCount)) * Math.Cos(2 * Math.PI * low[i] / WordsCount)));
        Near.Array(Near.Values(Viewed.All(set, Augmentation.GaussianNoise(0.5), View, Seed).Features), [.. expected], 1e-6, 0, "noisy values");
    }

    [Test]
    public void An_element_is_swapped_by_its_second_word_with_that_of_a_row_by_its_first()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(arange(Rows * 3, float32).reshape(Rows, 3), new long[Rows], InputShape.Vector(3), 2);
        var (high, low) = Words("0 swap", 3);
        var expected = Enumerable.Range(0, Rows * 3).Select(i => low[i] < 1u << 30 ? (3.0 * Below(Rows, high[i])) + (i % 3) : i);
        Assert.That(Near.Values(Viewed.All(set, Augmentation.MarginalSwap(0.25), View, Seed).Features), Is.EqualTo(expected));
    }

    [Test]
    public void A_partner_is_drawn_by_the_first_word_and_the_share_by_the_second()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Set(eye(Rows), [.. Enumerable.Range(0, Rows).Select(i => (long)i)], InputShape.Vector(Rows), Rows);
        var (high, low) = Words("0 mixing");
        var mixed = Images(Viewed.All(set, Augmentation.Mixup(1), View, Seed).Features);
        for (var row = 0; row < Rows; row++)
        {
            // Beta(1, 1) is uniform.
            var expected = new double[Rows];
            expected[row] = low[row] / WordsCount;
            expected[Below(Rows, high[row])] += 1 - (low[row] / WordsCount);
            Near.Array(mixed[row], expected, 1e-6, 0, $"row {row}");
        }
    }

    [Test]
    public void A_box_has_its_centre_at_words_of_its_own_and_the_area_of_the_share()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Flat(Rows, 8, 6);
        var (partner, share) = Words("0 mixing");
        var (high, low) = Words("0 centre");
        var mixed = Images(Viewed.All(set, Augmentation.CutMix(), View, Seed).Features);
        for (var row = 0; row < Rows; row++)
        {
            var side = Math.Sqrt(1 - (share[row] / WordsCount));
            var (top, left) = (Below(8, high[row]) - (int)(side * 4), Below(6, low[row]) - (int)(side * 3));
            var (bottom, right) = (Below(8, high[row]) + (int)(side * 4), Below(6, low[row]) + (int)(side * 3));
            var expected = Enumerable.Range(0, 48).Select(i => i / 6 >= top && i / 6 < bottom && i % 6 >= left && i % 6 < right ? Below(Rows, partner[row]) + 1.0 : row + 1);
            Assert.That(mixed[row], Is.EqualTo(expected), $"row {row}");
        }
    }

    private static (long[] High, long[] Low) Words(string purpose, long? length = null)
    {
        using var scope = NewDisposeScope();
        using var draws = new AugmentationDraws(Seed, CPU);
        var rows = arange(Rows, int64);
        var words = length is { } elements ? draws.ForElements(rows, View, purpose, elements) : draws.ForRows(rows, View, purpose);
        return (words.High.reshape(-1).data<long>().ToArray(), words.Low.reshape(-1).data<long>().ToArray());
    }

    /// <summary>A word as an integer below <paramref name="count"/>.</summary>
    private static int Below(int count, long word) => (int)((word * count) >> 32);

    private static double[][] Images(Tensor rows) => [.. Near.Values(rows).Chunk((int)(rows.numel() / Rows))];
}
