using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class MissingLabelTests
{
    private MLContext _context = null!;
    private Point[] _rows = null!;
    private IDataView _view = null!;

    /// <summary>The labels of every second row are unknown values, which MapValueToKey makes missing keys.</summary>
    [SetUp]
    public void HalfLabelled()
    {
        _context = Rows.Context();
        _rows = Rows.Points();
        var toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        for (var i = 1; i < _rows.Length; i += 2)
            _rows[i].Label = "unknown";
        _view = toKey.Transform(_context.Data.LoadFromEnumerable(_rows));
    }

    [Test]
    public void Drop_gives_the_student_that_never_saw_the_unlabelled_rows()
    {
        var options = Rows.Quick() with { MissingLabels = MissingLabels.Drop };
        var labelled = _context.Data.FilterRowsByMissingValues(_view, "Class");
        Assert.That(_context.Fit(options, _view).Scores(_view), Is.EqualTo(_context.Fit(options, labelled).Scores(_view)));
    }

    [Test]
    public void Drop_says_in_the_log_how_many_rows_it_left_out()
    {
        var log = new RowsLog(_context);
        _context.Fit(Rows.Quick() with { MissingLabels = MissingLabels.Drop, Epochs = 1 }, _view);
        Assert.That(log.Warnings, Has.One.EqualTo("Left out of the training data: 0 rows with NaN or infinite features, 120 without a label."));
    }

    [Test]
    public void TeacherOnly_rows_teach_the_student_through_the_teacher()
    {
        // Labelled rows are all far to one side of the teacher's rule; only the unlabelled rows show the rest of it.
        for (var i = 0; i < _rows.Length; i++)
            (_rows[i].Features[2], _rows[i].Features[3]) = i % 2 == 0 ? (-1f, 1f) : (i % 4 == 1 ? 1f : 0f, 0f);
        var toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        var view = toKey.Transform(_context.Data.LoadFromEnumerable(_rows));
        var rule = _rows.Select(RowsTeachers.RuleClass).ToArray();
        double AgreementWith(MissingLabels how) => Rows.Agreement(_context.Fit(Options(how), view).Predictions(view), rule);
        Assert.Multiple(() =>
        {
            Assert.That(AgreementWith(MissingLabels.Drop), Is.LessThan(0.75));
            Assert.That(AgreementWith(MissingLabels.TeacherOnly), Is.GreaterThan(0.95));
        });

        DistillationOptions Options(MissingLabels how) => Rows.Quick(_context.Saying(view, RowsTeachers.Rule)) with
        {
            Method = DistillationMethod.Kd(alpha: 1),
            MissingLabels = how,
            MinimumTeacherAccuracy = 0,
            Epochs = 15,
        };
    }

    [Test]
    public void Labels_only_has_no_use_for_rows_that_the_teacher_alone_would_teach() => Assert.That(
        () => _context.Fit(Rows.Quick() with { MissingLabels = MissingLabels.TeacherOnly }, _view),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(
            "MissingLabels.TeacherOnly needs a method that asks the teacher about the rows, and labels only asks none. (Parameter 'options')"));

    [Test]
    public void Held_out_rows_are_drawn_from_the_labelled_ones()
    {
        var log = new RowsLog(_context);
        _context.Fit(Rows.Quick(_context.Saying(_view, RowsTeachers.Rule)) with
        {
            MissingLabels = MissingLabels.TeacherOnly,
            MinimumTeacherAccuracy = 0,
            ValidationFraction = 0.25,
            Epochs = 1,
        }, _view);
        Assert.That(log.Lines, Has.One.EqualTo("Read 240 rows (vector of 4), 3 classes; training on 210, validating on 30."));
    }
}
