using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Mixup and CutMix: rows, label shares and weights go together.</summary>
public sealed class MixingTests
{
    private const long None = IRowSource.MissingLabel;

    [Test]
    public void Mixup_is_the_rows_own_share_of_it_and_the_rest_of_a_partner()
    {
        using var scope = NewDisposeScope();
        // Row i is the unit vector i with label i, so a mixed row says itself what it is made of.
        using var set = Toy.Set(eye(5), [0, 1, 2, 3, 4], InputShape.Vector(5), 5);
        var batch = Viewed.All(set, Augmentation.Mixup(1));
        Assert.That(Near.Values(batch.SoftLabels!), Is.EqualTo(Near.Values(batch.Features)));
        Assert.That(Near.Values(batch.Features.sum(1)), Is.All.EqualTo(1).Within(1e-6));
        Assert.That(Near.Values(batch.Features.count_nonzero([1])), Is.All.InRange(1, 2));
        Assert.That(Near.Values(batch.Labels), Is.EqualTo(new double[] { 0, 1, 2, 3, 4 }), "the rows' own");
    }

    [Test]
    public void Mixup_of_bytes_stays_in_their_range()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(200, 1, 4, 4);
        var values = Near.Values(Viewed.All(set, Augmentation.Mixup(1)).Features);
        Assert.That((values.Min(), values.Max()), Is.EqualTo((0.0, 255.0)).Within(30));
        Assert.That(values.Min(), Is.AtLeast(0));
        Assert.That(values.Max(), Is.AtMost(255));
    }

    [TestCase(0.2)]
    [TestCase(1)]
    [TestCase(4)]
    public void Mixup_shares_have_the_moments_of_the_beta_distribution(double alpha)
    {
        using var scope = NewDisposeScope();
        // Values 0 and 1000, half each: a mixed row's label share of class 1 is its value.
        const int Rows = 40_000;
        using var set = Toy.Set(zeros(Rows, 1), [.. Enumerable.Range(0, Rows).Select(i => (long)i % 2)], InputShape.Vector(1), 2);
        var batch = Viewed.All(set, Augmentation.Mixup(alpha));
        // Where the partner has the other label, the own label's share is λ.
        var own = Near.Values(batch.SoftLabels!.gather(1, batch.Labels.unsqueeze(1))).Where(s => s < 1).ToArray();
        Assert.That(own.Average(), Is.EqualTo(0.5).Within(0.01));
        Assert.That(own.Average(s => (s - 0.5) * (s - 0.5)), Is.EqualTo(1 / (4 * ((2 * alpha) + 1))).Within(0.005));
    }

    [Test]
    public void Partners_are_any_rows_trained_on_and_no_others()
    {
        using var scope = NewDisposeScope();
        const int Rows = 50;
        using var set = Toy.Set(eye(Rows), [.. Enumerable.Range(0, Rows).Select(i => (long)i)], InputShape.Vector(Rows), Rows);
        var training = arange(0, Rows, 2, int64);
        using var views = new AugmentedViews([Augmentation.Mixup(1)], 1, training, classes: 3);
        var seen = zeros(Rows, Rows);
        for (var view = 1; view <= 40; view++)
        {
            using var inner = NewDisposeScope();
            seen.add_(views.GetBatch(set, training, view).Features.sum([0]).unsqueeze(0));
        }

        var used = Near.Values(seen[0]);
        Assert.That(used.Where((_, i) => i % 2 == 0), Has.All.GreaterThan(0));
        Assert.That(used.Where((_, i) => i % 2 == 1), Is.All.Zero);
    }

    [Test]
    public void A_partner_looks_as_the_augmentations_before_show_it_in_the_same_view()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(30, 1, 8, 8, classes: 30);
        var flips = Viewed.All(set, Augmentation.HorizontalFlip()).Features.to(float32).reshape(30, 64);
        var mixed = Viewed.Create(set, [Augmentation.HorizontalFlip(), Augmentation.Mixup(1)], [.. Enumerable.Range(0, 30).Select(i => (long)i)]);
        Near.Array(Near.Values(mixed.Features), Near.Values(mixed.SoftLabels!.mm(flips)), 1e-5, 0, "shares times flipped rows");
    }

    [Test]
    public void A_CutMix_label_share_is_exactly_the_area_left()
    {
        using var scope = NewDisposeScope();
        const int Rows = 200;
        using var set = Viewed.Flat(Rows, 8, 6);
        var labels = set.Labels.data<long>().ToArray();
        var batch = Viewed.All(set, Augmentation.CutMix());
        var (pixels, shares) = (Near.Values(batch.Features).Chunk(48).ToArray(), Near.Values(batch.SoftLabels!).Chunk(3).ToArray());
        for (var row = 0; row < Rows; row++)
        {
            var pasted = pixels[row].Where(p => p != row + 1).ToArray();
            var expected = new double[3];
            expected[labels[row]] = (float)(1 - (pasted.Length / 48.0));
            if (pasted.Length > 0)
            {
                Assert.That(pasted, Is.All.EqualTo(pasted[0]), $"row {row} has one partner");
                expected[labels[(int)pasted[0] - 1]] += 1 - (float)(1 - (pasted.Length / 48.0));
            }

            Assert.That(shares[row], Is.EqualTo(expected.Select(e => (double)(float)e)), $"row {row}");
            Assert.That(IsBox(pixels[row], row + 1), Is.True, $"row {row} has a box pasted in");
        }

        Assert.That(pixels.Average(p => p.Distinct().Count()), Is.GreaterThan(1.5), "most rows are mixed");
    }

    [Test]
    public void CutMix_boxes_reach_every_pixel()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Flat(250, 6, 6);
        var pasted = Viewed.All(set, Augmentation.CutMix()).Features.ne(set.AllFeatures()).to(int64).sum([0]);
        Assert.That(Near.Values(pasted), Has.All.InRange(10, 200));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_part_without_a_label_leaves_its_share_out(bool images)
    {
        using var scope = NewDisposeScope();
        long[] labels = [0, None, 2, None, 1, None];
        using var set = images ? Viewed.Flat(6, 8, 8, labels) : Toy.Set(eye(6), labels, InputShape.Vector(6), 3);
        var augmentation = images ? Augmentation.CutMix() : Augmentation.Mixup(1);
        var sums = new List<double>();
        for (var view = 1; view <= 20; view++)
        {
            var batch = Viewed.All(set, augmentation, view);
            sums.AddRange(Near.Values(batch.SoftLabels!.sum(1)));
            Assert.That(Near.Values(batch.Labels), Is.EqualTo(labels));
            if (images)
                continue;
            var parts = batch.Features.index_select(1, tensor(new long[] { 0, 4, 2 }));
            Near.Array(Near.Values(batch.SoftLabels!), Near.Values(parts), 0, 1e-7, "labelled parts");
        }

        Assert.That(sums, Has.All.InRange(0, 1 + 1e-6));
        Assert.That(sums.Count(s => s < 0.01), Is.GreaterThan(5), "rows without a label mixed with such");
        Assert.That(sums.Count(s => s is > 0.01 and < 0.99), Is.GreaterThan(20), "rows half labelled");
        Assert.That(sums.Count(s => s > 0.99), Is.GreaterThan(5), "rows with a label mixed with such");
    }

    [Test]
    public void Of_a_row_of_weight_0_no_label_is_learnt_whatever_it_is_mixed_with()
    {
        using var scope = NewDisposeScope();
        float[] weights = [1, 0, 4, 0];
        using var set = Toy.Set(eye(4), [0, 1, 2, 3], InputShape.Vector(4), 4, weights);
        var batch = Viewed.All(set, Augmentation.Mixup(1), view: 3);
        // With one row for each class the features are the shares.
        var expected = Near.Values(batch.Features.mul(tensor(weights)));
        Near.Array(Near.Values(batch.SoftLabels!.mul(batch.Weights!.unsqueeze(1))), expected, 1e-6, 1e-7, "label shares times weight");
    }

    [Test]
    public void Weights_are_mixed_by_the_shares()
    {
        using var scope = NewDisposeScope();
        float[] weights = [1, 2, 4, 8];
        using var set = Toy.Set(eye(4), [0, 1, 2, 3], InputShape.Vector(4), 4, weights);
        var batch = Viewed.All(set, Augmentation.Mixup(1));
        Near.Array(Near.Values(batch.Weights!), Near.Values(batch.Features.mv(tensor(weights))), 1e-6, 0, "weights");
    }

    private static bool IsBox(double[] pixels, double own)
    {
        var inside = Enumerable.Range(0, 48).Where(i => pixels[i] != own).Select(i => (Y: i / 6, X: i % 6)).ToArray();
        return inside.Length == 0
            || inside.Length == (1 + inside.Max(p => p.Y) - inside.Min(p => p.Y)) * (1 + inside.Max(p => p.X) - inside.Min(p => p.X));
    }
}
