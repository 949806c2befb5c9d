using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Records;

/// <summary>Answers recorded in a folder are used by later fits, and never for another teacher, other data or other settings.</summary>
public sealed class FolderRecordTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;
    private ToyFolder _folder = null!;

    public FolderRecordTests() => _view = _context.Keyed(Rows.Points());

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void A_second_fit_does_not_ask_the_teacher_and_gives_the_same_student()
    {
        var asked = new Counter();
        var first = Fit(Named(asked));
        var afterFirst = asked.Rows;
        var second = Fit(Named(asked));
        Assert.Multiple(() =>
        {
            Assert.That(second, Is.EqualTo(first));
            Assert.That(second, Is.EqualTo(Fit(Named(new Counter()), new TeacherRecordOptions())), "in memory it is the same too");
            Assert.That(afterFirst, Is.EqualTo(240));
            Assert.That(asked.Rows, Is.EqualTo(240));
            Assert.That(_folder.Entries, Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void One_record_serves_all_methods()
    {
        var asked = new Counter();
        Fit(Named(asked));
        var before = asked.Rows;
        _context.Fit(Options(Named(asked), In()) with { Method = DistillationMethod.Dist(), Epochs = 1 }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(asked.Rows, Is.EqualTo(before));
            Assert.That(_folder.Entries, Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void A_model_that_can_be_saved_is_known_by_its_bytes()
    {
        Teacher Forest(int seed) => Teacher.FromTransformer(_context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(_context.MulticlassClassification.Trainers.SdcaMaximumEntropy("TeacherClass", maximumNumberOfIterations: seed)).Fit(_view));
        var teacher = Forest(3);
        Fit(teacher);
        Fit(teacher);
        Assert.That(_folder.Entries, Has.Length.EqualTo(1));
        Fit(Forest(4));
        Assert.That(_folder.Entries, Has.Length.EqualTo(2));
    }

    [Test]
    public void A_model_that_cannot_be_saved_needs_an_identity() => Assert.That(
        () => Fit(_context.Saying(_view, RowsTeachers.Rule)),
        Throws.InvalidOperationException.With.Message.StartsWith(
            "A teacher record in a folder is known by the bytes of its teacher, and this model cannot be saved. Give it an identity (a name that changes whenever " +
            "the model does) with Teacher.FromTransformer, or leave out the record's Folder. ML.NET says: "));

    [Test]
    public void Other_data_in_a_column_that_the_teacher_reads_are_another_record()
    {
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(_view), identity: "regression");
        Fit(teacher);
        var changed = Rows.Points();
        changed[17].Features[2] += 1e-3f;
        var log = new RowsLog(_context);
        _context.Fit(Options(teacher, In()), _context.Keyed(changed));
        Assert.Multiple(() =>
        {
            Assert.That(_folder.Entries, Has.Length.EqualTo(2));
            Assert.That(log.Lines, Has.Some.Contains("data"), "the log says in what the records differ");
        });
    }

    [Test]
    public void Data_in_a_column_that_nobody_reads_do_not_matter()
    {
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(_view), identity: "regression");
        Fit(teacher);
        _context.Fit(Options(teacher, In()), _context.Keyed(Rows.Points().Select(p => { p.Held = true; return p; })));
        // The regression's own label step reads Label; Held is read by nobody.
        Assert.That(_folder.Entries, Has.Length.EqualTo(1));
    }

    [Test]
    public void The_same_rows_in_another_order_are_the_same_data()
    {
        var asked = new Counter();
        var teacher = Named(asked);
        Fit(teacher);
        var before = asked.Rows;
        var shuffled = _context.Data.ShuffleRows(_view, seed: 3);
        _context.Fit(Options(teacher, In()), shuffled);
        Assert.That((asked.Rows - before, _folder.Entries.Length), Is.EqualTo((0, 1)));
    }

    [Test]
    public void ReuseOnly_refuses_to_ask_where_there_is_no_record() => Assert.That(
        () => Fit(Named(new Counter()), In() with { Reuse = RecordReuse.ReuseOnly }), Throws.InvalidOperationException.With.Message.Contains(_folder.Path));

    [Test]
    public void A_damaged_record_is_noticed_said_and_made_anew()
    {
        var first = Fit(Named(new Counter()));
        var path = _folder.File(_folder.Entries.Single());
        var whole = File.ReadAllBytes(path);
        var spoilt = (byte[])whole.Clone();
        spoilt[^100] ^= 4;
        File.WriteAllBytes(path, spoilt);
        Assert.That(() => Fit(Named(new Counter()), In() with { Reuse = RecordReuse.ReuseOnly }), Throws.InvalidOperationException.With.Message.Contains(path));
        var log = new RowsLog(_context);
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
        var view = _context.Keyed(Rows.Points(6000));
        float[][] FitMany(TeacherRecordOptions record) => _context.Fit(Options(Named(new Counter()), record), view).Scores(view);
        // ML.NET's cursors run ahead of whoever reads them, so the file itself tells that some of it is there.
        var asked = new Counter
        {
            Then = _ =>
            {
                if (Directory.GetFiles(_folder.Path, "*.partial").Any(file => new FileInfo(file).Length > 10_000))
                    cancellation.Cancel();
            },
        };
        Assert.That(() => _context.Fit(Options(Named(asked), In()) with { CancellationToken = cancellation.Token }, view), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_folder.Entries, Has.One.EndsWith(".partial"));
        var resumed = FitMany(In());
        Assert.Multiple(() =>
        {
            Assert.That(resumed, Is.EqualTo(FitMany(new TeacherRecordOptions())));
            Assert.That(_folder.Entries, Has.One.EndsWith(".teacher"));
            Assert.That(_folder.Entries, Has.None.EndsWith(".partial"));
        });
    }

    [Test]
    public void A_pipeline_with_an_identity_is_fitted_once()
    {
        var log = new RowsLog(_context);
        Teacher Teacher() => MlNetDistill.Teacher.FromEstimator(_context.Regression(), folds: 3, identity: "regression");
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

    [Test]
    public void Half_precision_and_few_logits_teach_nearly_the_same()
    {
        var single = Fit(Named(new Counter()));
        var half = Fit(Named(new Counter()), In() with { Precision = RecordPrecision.Half });
        var top = Fit(Named(new Counter()), In() with { TopK = 2 });
        Assert.Multiple(() =>
        {
            Assert.That(half.SelectMany(s => s), Is.EqualTo(single.SelectMany(s => s)).Within(0.02));
            // Of three classes two and the sum of the rest are all there is.
            Assert.That(top.SelectMany(s => s), Is.EqualTo(single.SelectMany(s => s)).Within(0.02));
            Assert.That(_folder.Entries, Has.Length.EqualTo(3));
        });
    }

    [Test]
    public void Answers_beyond_the_memory_limit_are_read_from_a_file_and_are_the_same()
    {
        var inMemory = Fit(Named(new Counter()));
        Assert.Multiple(() =>
        {
            Assert.That(Fit(Named(new Counter()), In() with { MemoryLimit = 100 }), Is.EqualTo(inMemory).Within(1e-4));
            Assert.That(Fit(Named(new Counter()), new TeacherRecordOptions { MemoryLimit = 100 }), Is.EqualTo(inMemory).Within(1e-4), "in a temporary file");
        });
    }

    [Test]
    public void Pre_drawn_views_come_round_again_and_are_answered_once()
    {
        var teacher = Route.FromCheckpoints(Student.Mlp(16), Checkpoint());
        var options = Options(teacher, In() with { Views = 3 }) with { Augmentations = [Augmentation.GaussianNoise(0.1)], Epochs = 7 };
        var first = _context.Fit(options, _view).Scores(_view);
        Assert.Multiple(() =>
        {
            Assert.That(_folder.Entries.Where(e => e.EndsWith(".teacher", StringComparison.Ordinal)), Has.Exactly(1).Items);
            Assert.That(_context.Fit(options, _view).Scores(_view), Is.EqualTo(first), "warm");
            Assert.That(_context.Fit(options with { Record = new TeacherRecordOptions { Views = 3 } }, _view).Scores(_view), Is.EqualTo(first), "in memory");
            Assert.That(_context.Fit(options with { Record = new TeacherRecordOptions() }, _view).Scores(_view), Is.Not.EqualTo(first), "ever new views are others");
        });
    }

    [Test]
    public void Views_without_augmentations_and_too_many_logits_are_refused()
    {
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(Options(Named(new Counter()), new TeacherRecordOptions { Views = 2 })),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("Record.Views keeps views of augmented rows, and there are no Augmentations; leave it 0."));
        Assert.That(
            () => Fit(Named(new Counter()), new TeacherRecordOptions { TopK = 3 }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("Record.TopK must be less than the number of classes, 3; was 3."));
    }

    private TeacherRecordOptions In() => new() { Folder = _folder.Path };

    private float[][] Fit(Teacher teacher, TeacherRecordOptions? record = null) => _context.Fit(Options(teacher, record ?? In()), _view).Scores(_view);

    private static DistillationOptions Options(Teacher teacher, TeacherRecordOptions record) =>
        Rows.Quick(teacher) with { Record = record, MinimumTeacherAccuracy = 0, Epochs = 3 };

    /// <summary>A teacher that counts the rows it is asked about.</summary>
    private Teacher Named(Counter counter) => Teacher.FromTransformer(
        _context.Transforms.CustomMapping<Seen, Answer>(
            (row, answer) =>
            {
                counter.Add();
                answer.Score = RowsTeachers.Rule(row.Features);
            },
            null).Fit(_view),
        classNames: Rows.Classes,
        identity: "the rule");

    private string Checkpoint()
    {
        _context.Fit(
            Rows.Quick(Route.Train(Student.Mlp(16), every: 6, epochs: 6, folder: _folder.File("route"))) with { Method = DistillationMethod.Rco(), Epochs = 1 }, _view);
        return _folder.File(Path.Combine("route", "anchor-0006.weights"));
    }

    private sealed class Counter
    {
        public int Rows { get; private set; }

        public Action<int> Then { get; init; } = _ => { };

        public void Add() => Then(++Rows);
    }

    private sealed class Seen
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
