using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A row's look is a pure function of seed, row and view.</summary>
public sealed class ViewsTests
{
    private static readonly Augmentation[] Crop = [Augmentation.RandomCrop(2)];

    public static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("crop", true, Crop);
        yield return Case("Mixup on images", true, Augmentation.Mixup(1));
        yield return Case("CutMix", true, Augmentation.CutMix());
        yield return Case("the CIFAR recipe and CutMix", true, Augmentation.RandomCrop(2), Augmentation.HorizontalFlip(), Augmentation.CutMix());
        yield return Case("noise on images", true, Augmentation.GaussianNoise(3));
        yield return Case("Mixup on vectors", false, Augmentation.Mixup(1));
        yield return Case("noise", false, Augmentation.GaussianNoise(0.5));
        yield return Case("swap", false, Augmentation.MarginalSwap(0.5));
        yield return Case("swap, noise and Mixup", false, Augmentation.MarginalSwap(0.5), Augmentation.GaussianNoise(0.5), Augmentation.Mixup(1));

        static TestCaseData Case(string name, bool images, params Augmentation[] augmentations) =>
            new TestCaseData(images, augmentations).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Cases))]
    public void The_same_row_in_the_same_view_is_the_same_in_any_batch_and_order(bool images, Augmentation[] augmentations)
    {
        using var scope = NewDisposeScope();
        using var set = Set(images);
        var whole = Viewed.Create(set, augmentations, [.. Enumerable.Range(0, (int)set.Count).Select(i => (long)i)]);
        var some = Viewed.Create(set, augmentations, [17, 3, 17, 40]);
        var alone = Viewed.Create(set, augmentations, [3]);
        foreach (var (part, inPart, row) in new[] { (some, 0, 17), (some, 1, 3), (some, 2, 17), (some, 3, 40), (alone, 0, 3) })
        {
            Assert.That(Near.Values(part.Features[inPart]), Is.EqualTo(Near.Values(whole.Features[row])), $"features of row {row}");
            if (whole.SoftLabels is not null)
                Assert.That(Near.Values(part.SoftLabels![inPart]), Is.EqualTo(Near.Values(whole.SoftLabels[row])), $"label shares of row {row}");
        }
    }

    [Test]
    public void Rows_that_hold_the_same_are_changed_differently()
    {
        using var scope = NewDisposeScope();
        using var one = Viewed.Bytes(1, 2, 8, 10);
        using var set = Toy.Set(one.AllFeatures().expand(60, 2, 8, 10).contiguous(), new long[60], one.Shape, 3);
        foreach (var augmentation in new[] { Crop[0], Augmentation.GaussianNoise(1) })
        {
            var looks = Near.Values(Viewed.All(set, augmentation).Features).Chunk(set.Shape.Length).Select(r => string.Join(' ', r));
            Assert.That(looks.Distinct().Count(), Is.GreaterThan(20), $"{augmentation}");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Another_view_and_another_seed_look_different(bool images, Augmentation[] augmentations)
    {
        using var scope = NewDisposeScope();
        using var set = Set(images);
        var rows = Enumerable.Range(0, (int)set.Count).Select(i => (long)i).ToArray();
        var looks = from view in Enumerable.Range(1, 5)
                    from seed in new[] { 1, 2 }
                    select string.Join(' ', Near.Values(Viewed.Create(set, augmentations, rows, view, seed).Features));
        Assert.That(looks, Is.Unique);
    }

    [Test]
    public void Two_augmentations_of_one_kind_have_draws_of_their_own()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Bytes(64, 1, 8, 8);
        var rows = Enumerable.Range(0, 64).Select(i => (long)i).ToArray();
        var twice = Viewed.Create(set, [Augmentation.HorizontalFlip(), Augmentation.HorizontalFlip()], rows).Features;
        // With the same draws both flips would cancel in every row.
        var unchanged = rows.Count(i => twice[i].eq(set.AllFeatures()[i]).all().item<bool>());
        Assert.That(unchanged, Is.InRange(16, 48));
    }

    [Test]
    public void A_batch_says_which_view_it_is_and_keeps_its_rows_labels_and_weights()
    {
        using var scope = NewDisposeScope();
        using var set = Viewed.Flat(4, 8, 8, [2, 1, 0, 2], [1, 2, 3, 4]);
        var batch = Viewed.Create(set, Crop, [3, 1], view: 7);
        Assert.That(batch.View, Is.EqualTo(7));
        Assert.That(batch.Set, Is.SameAs(set));
        Assert.That(Near.Values(batch.Positions), Is.EqualTo(new double[] { 3, 1 }));
        Assert.That(Near.Values(batch.Labels), Is.EqualTo(new double[] { 2, 1 }));
        Assert.That(Near.Values(batch.Weights!), Is.EqualTo(new double[] { 4, 2 }));
        Assert.That(batch.SoftLabels, Is.Null);
    }

    [TestCaseSource(nameof(Cases))]
    public void The_number_of_live_tensors_is_flat_over_views(bool images, Augmentation[] augmentations)
    {
        using var set = Set(images);
        using var training = arange(set.Count, int64).DetachFromDisposeScope();
        using var views = new AugmentedViews(augmentations, 1, training, classes: 3);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var live = new List<long>();
        for (var view = 1; view <= 6; view++)
        {
            using (var scope = NewDisposeScope())
            {
                var batch = views.GetBatch(set, training, view);
                Assert.That(scope.DisposablesCount, Is.EqualTo(batch.SoftLabels is null ? 2 : 3), "features, labels and label shares");
            }

            live.Add(Tensor.TotalCount);
        }

        Assert.That(live, Is.All.EqualTo(live[0]));
    }

    [Test]
    public void Views_that_are_disposed_of_leave_no_tensor_behind()
    {
        using var training = arange(10, int64).DetachFromDisposeScope();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        new AugmentedViews([Augmentation.Mixup()], 1, training, classes: 3).Dispose();
        Assert.That(Tensor.TotalCount, Is.EqualTo(before));
    }

    private static InMemoryRows Set(bool images) => images ? Viewed.Bytes(60, 2, 8, 10) : Toy.Clouds(60, length: 6);
}
