using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Cache;

/// <summary>Outputs cached in a folder are used by later fits, and never for another teacher, other data or other settings.</summary>
public sealed class FolderCacheTests : CachesInFolder
{
    [Test]
    public void A_second_fit_queries_the_teacher_for_16_rows_and_returns_the_same_student()
    {
        var queried = new Counter();
        var first = Fit(Named(queried));
        var afterFirst = queried.Rows;
        var second = Fit(Named(queried));
        Assert.Multiple(() =>
        {
            Assert.That(second, Is.EqualTo(first));
            Assert.That(second, Is.EqualTo(Fit(Named(new Counter()), new TeacherCacheOptions())), "in memory it is the same too");
            Assert.That(afterFirst, Is.EqualTo(240));
            Assert.That(queried.Rows, Is.EqualTo(240 + 16));
            Assert.That(Folder.Entries, Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void All_methods_use_one_cache()
    {
        var queried = new Counter();
        Fit(Named(queried));
        var before = queried.Rows;
        Context.Fit(Options(Named(queried), In()) with { Method = DistillationMethod.Dist(), Epochs = 1 }, View);
        Assert.Multiple(() =>
        {
            Assert.That(queried.Rows, Is.EqualTo(before + 16));
            Assert.That(Folder.Entries, Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void A_model_that_can_be_saved_is_identified_by_its_bytes()
    {
        Teacher Forest(int seed) => Teacher.FromTransformer(Context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(Context.MulticlassClassification.Trainers.SdcaMaximumEntropy("TeacherClass", maximumNumberOfIterations: seed)).Fit(View));
        var teacher = Forest(3);
        Fit(teacher);
        Fit(teacher);
        Assert.That(Folder.Entries, Has.Length.EqualTo(1));
        Fit(Forest(4));
        Assert.That(Folder.Entries, Has.Length.EqualTo(2));
    }

    [Test]
    public void A_model_that_cannot_be_saved_needs_a_cache_key() => Assert.That(
        () => Fit(Context.Saying(View, RowsTeachers.Rule)),
        Throws.InvalidOperationException.With.Message.StartsWith(
            "The key of a teacher cache in a folder is a hash of the saved teacher, and this model cannot be saved. Give Teacher.FromTransformer a cacheKey (a name " +
            "that changes whenever the model does), or leave TeacherCache.Folder null. The error of ML.NET: "));

    [Test]
    public void Other_data_in_a_column_that_the_teacher_reads_need_another_cache()
    {
        var teacher = Teacher.FromTransformer(Context.Regression().Fit(View), cacheKey: "regression");
        Fit(teacher);
        var changed = Rows.Points();
        changed[17].Features[2] += 1e-3f;
        var log = new RowsLog(Context);
        Context.Fit(Options(teacher, In()), Context.Keyed(changed));
        Assert.Multiple(() =>
        {
            Assert.That(Folder.Entries, Has.Length.EqualTo(2));
            Assert.That(log.Lines, Has.Some.Contains("data"), "the log lists the differences");
        });
    }

    [Test]
    public void Data_in_a_column_that_is_not_read_do_not_matter()
    {
        var teacher = Teacher.FromTransformer(Context.Regression().Fit(View), cacheKey: "regression");
        Fit(teacher);
        Context.Fit(Options(teacher, In()), Context.Keyed(Rows.Points().Select(p => { p.Held = true; return p; })));
        // The regression's own label step reads Label; Held is read by nobody.
        Assert.That(Folder.Entries, Has.Length.EqualTo(1));
    }

    [Test]
    public void The_same_rows_in_another_order_are_the_same_data()
    {
        var queried = new Counter();
        var teacher = Named(queried);
        Fit(teacher);
        var before = queried.Rows;
        var shuffled = Context.Data.ShuffleRows(View, seed: 3);
        Context.Fit(Options(teacher, In()), shuffled);
        Assert.That((queried.Rows - before, Folder.Entries.Length), Is.EqualTo((16, 1)));
    }

    [Test]
    public void UseOnly_throws_without_a_cache() => Assert.That(
        () => Fit(Named(new Counter()), In() with { Mode = CacheMode.UseOnly }), Throws.InvalidOperationException.With.Message.Contains(Folder.Path));

    [Test]
    public void A_damaged_cache_is_reported_and_rebuilt()
    {
        var first = Fit(Named(new Counter()));
        var path = Folder.File(Folder.Entries.Single());
        var whole = File.ReadAllBytes(path);
        var spoilt = (byte[])whole.Clone();
        spoilt[^100] ^= 4;
        File.WriteAllBytes(path, spoilt);
        Assert.That(() => Fit(Named(new Counter()), In() with { Mode = CacheMode.UseOnly }), Throws.InvalidOperationException.With.Message.Contains(path));
        var log = new RowsLog(Context);
        Assert.Multiple(() =>
        {
            Assert.That(Fit(Named(new Counter())), Is.EqualTo(first));
            Assert.That(log.Warnings, Has.Some.Contains(path));
            Assert.That(File.ReadAllBytes(path), Is.EqualTo(whole));
        });
    }

    [Test]
    public void A_cancelled_fit_is_continued()
    {
        using var cancellation = new CancellationTokenSource();
        var view = Context.Keyed(Rows.Points(6000));
        float[][] FitMany(TeacherCacheOptions cache) => Context.Fit(Options(Named(new Counter()), cache), view).Scores(view);
        // ML.NET's cursors run ahead of whoever reads them, so the test looks at the file to see that some blocks are written.
        var queried = new Counter
        {
            Then = _ =>
            {
                if (Directory.GetFiles(Folder.Path, "*.partial").Any(file => new FileInfo(file).Length > 10_000))
                    cancellation.Cancel();
            },
        };
        Assert.That(() => Context.Fit(Options(Named(queried), In()) with { CancellationToken = cancellation.Token }, view), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Folder.Entries, Has.One.EndsWith(".partial"));
        var resumed = FitMany(In());
        Assert.Multiple(() =>
        {
            Assert.That(resumed, Is.EqualTo(FitMany(new TeacherCacheOptions())));
            Assert.That(Folder.Entries, Has.One.EndsWith(".teacher"));
            Assert.That(Folder.Entries, Has.None.EndsWith(".partial"));
        });
    }

    [Test]
    public void A_pipeline_with_a_cache_key_is_fitted_once()
    {
        var log = new RowsLog(Context);
        Teacher Teacher() => MlNetDistill.Teacher.FromEstimator(Context.Regression(), folds: 3, cacheKey: "regression");
        var first = Fit(Teacher());
        var fits = Fits();
        var second = Fit(Teacher());
        Assert.Multiple(() =>
        {
            Assert.That((fits, Fits()), Is.EqualTo((3, 3)));
            Assert.That(second, Is.EqualTo(first));
        });

        int Fits() => log.Lines.Count(l => l.StartsWith("Fitting the teacher", StringComparison.Ordinal));
    }
}
