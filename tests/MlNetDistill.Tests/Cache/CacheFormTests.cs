using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Cache;

/// <summary>Formats of cached outputs: rounded, shortened, in a file, with views.</summary>
public sealed class CacheFormTests : CachesInFolder
{
    [Test]
    public void Half_precision_and_top_logits_teach_nearly_the_same()
    {
        var single = Fit(Named(new Counter()));
        var half = Fit(Named(new Counter()), In() with { Precision = CachePrecision.Half });
        var top = Fit(Named(new Counter()), In() with { TopK = 2 });
        Assert.Multiple(() =>
        {
            Assert.That(half.SelectMany(s => s), Is.EqualTo(single.SelectMany(s => s)).Within(0.02));
            // Of three classes two and the sum of the rest are all there is.
            Assert.That(top.SelectMany(s => s), Is.EqualTo(single.SelectMany(s => s)).Within(0.02));
            Assert.That(Folder.Entries, Has.Length.EqualTo(3));
        });
    }

    [Test]
    public void Outputs_beyond_the_memory_limit_are_read_from_a_file_and_are_the_same()
    {
        var inMemory = Fit(Named(new Counter()));
        Assert.Multiple(() =>
        {
            Assert.That(Fit(Named(new Counter()), In() with { MemoryLimit = 100 }), Is.EqualTo(inMemory).Within(1e-4));
            Assert.That(Fit(Named(new Counter()), new TeacherCacheOptions { MemoryLimit = 100 }), Is.EqualTo(inMemory).Within(1e-4), "in a temporary file");
        });
    }

    [Test]
    public void Views_drawn_in_advance_are_used_again_and_queried_once()
    {
        var teacher = Route.FromCheckpoints(NetworkSpec.Mlp(16), Checkpoint());
        var options = Options(teacher, In() with { AugmentedViews = 3 }) with { Augmentations = [Augmentation.GaussianNoise(0.1)], Epochs = 7 };
        var first = Context.Fit(options, View).Scores(View);
        Assert.Multiple(() =>
        {
            Assert.That(Folder.Entries.Where(e => e.EndsWith(".teacher", StringComparison.Ordinal)), Has.Exactly(1).Items);
            Assert.That(Context.Fit(options, View).Scores(View), Is.EqualTo(first), "warm");
            Assert.That(Context.Fit(options with { TeacherCache = new TeacherCacheOptions { AugmentedViews = 3 } }, View).Scores(View), Is.EqualTo(first), "in memory");
            Assert.That(Context.Fit(options with { TeacherCache = new TeacherCacheOptions() }, View).Scores(View), Is.Not.EqualTo(first), "new views in every epoch give another student");
        });
    }

    [Test]
    public void Views_without_augmentations_and_too_many_logits_are_refused()
    {
        Assert.That(
            () => Context.MulticlassClassification.Trainers.Distill(Options(Named(new Counter()), new TeacherCacheOptions { AugmentedViews = 2 })),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("TeacherCache.AugmentedViews is for augmented rows, and there are no Augmentations; leave it 0."));
        Assert.That(
            () => Fit(Named(new Counter()), new TeacherCacheOptions { TopK = 3 }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("TeacherCache.TopK must be less than the number of classes, 3; was 3."));
    }

    private string Checkpoint()
    {
        Context.Fit(
            Rows.Quick(Route.Train(NetworkSpec.Mlp(16), every: 6, epochs: 6, folder: Folder.File("route"))) with { Method = DistillationMethod.Rco(), Epochs = 1 }, View);
        return Folder.File(Path.Combine("route", "anchor-0006.weights"));
    }
}
