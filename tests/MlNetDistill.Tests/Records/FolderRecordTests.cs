using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Records;

/// <summary>Answers recorded in a folder are used by later fits, and never for another teacher, other data or other settings.</summary>
public sealed class FolderRecordTests : RecordsInFolder
{
    [Test]
    public void A_second_fit_asks_the_teacher_about_16_rows_alone_and_gives_the_same_student()
    {
        var asked = new Counter();
        var first = Fit(Named(asked));
        var afterFirst = asked.Rows;
        var second = Fit(Named(asked));
        Assert.Multiple(() =>
        {
            Assert.That(second, Is.EqualTo(first));
            Assert.That(second, Is.EqualTo(Fit(Named(new Counter()), new TeacherCacheOptions())), "in memory it is the same too");
            Assert.That(afterFirst, Is.EqualTo(240));
            Assert.That(asked.Rows, Is.EqualTo(240 + 16));
            Assert.That(Folder.Entries, Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void One_record_serves_all_methods()
    {
        var asked = new Counter();
        Fit(Named(asked));
        var before = asked.Rows;
        Context.Fit(Options(Named(asked), In()) with { Method = DistillationMethod.Dist(), Epochs = 1 }, View);
        Assert.Multiple(() =>
        {
            Assert.That(asked.Rows, Is.EqualTo(before + 16));
            Assert.That(Folder.Entries, Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void A_model_that_can_be_saved_is_known_by_its_bytes()
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
    public void A_model_that_cannot_be_saved_needs_an_identity() => Assert.That(
        () => Fit(Context.Saying(View, RowsTeachers.Rule)),
        Throws.InvalidOperationException.With.Message.StartsWith(
            "A teacher cache in a folder is known by the bytes of its teacher, and this model cannot be saved. Give it an identity (a name that changes whenever " +
            "the model does) with Teacher.FromTransformer, or leave out the record's Folder. ML.NET says: "));

    [Test]
    public void Other_data_in_a_column_that_the_teacher_reads_are_another_record()
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
            Assert.That(log.Lines, Has.Some.Contains("data"), "the log says in what the records differ");
        });
    }

    [Test]
    public void Data_in_a_column_that_nobody_reads_do_not_matter()
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
        var asked = new Counter();
        var teacher = Named(asked);
        Fit(teacher);
        var before = asked.Rows;
        var shuffled = Context.Data.ShuffleRows(View, seed: 3);
        Context.Fit(Options(teacher, In()), shuffled);
        Assert.That((asked.Rows - before, Folder.Entries.Length), Is.EqualTo((16, 1)));
    }

    [Test]
    public void ReuseOnly_refuses_to_ask_where_there_is_no_record() => Assert.That(
        () => Fit(Named(new Counter()), In() with { Mode = CacheMode.UseOnly }), Throws.InvalidOperationException.With.Message.Contains(Folder.Path));

    [Test]
    public void A_damaged_record_is_noticed_said_and_made_anew()
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
    public void A_fit_that_was_cancelled_goes_on_where_it_was()
    {
        using var cancellation = new CancellationTokenSource();
        var view = Context.Keyed(Rows.Points(6000));
        float[][] FitMany(TeacherCacheOptions record) => Context.Fit(Options(Named(new Counter()), record), view).Scores(view);
        // ML.NET's cursors run ahead of whoever reads them, so the file itself tells that some of it is there.
        var asked = new Counter
        {
            Then = _ =>
            {
                if (Directory.GetFiles(Folder.Path, "*.partial").Any(file => new FileInfo(file).Length > 10_000))
                    cancellation.Cancel();
            },
        };
        Assert.That(() => Context.Fit(Options(Named(asked), In()) with { CancellationToken = cancellation.Token }, view), Throws.InstanceOf<OperationCanceledException>());
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
    public void A_pipeline_with_an_identity_is_fitted_once()
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
