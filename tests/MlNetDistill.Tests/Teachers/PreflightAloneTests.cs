using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Fitting;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>What a preflight with CompareAlone says of the student alone, before any fit.</summary>
public sealed class PreflightAloneTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points();
    private readonly IDataView _view;

    public PreflightAloneTests()
    {
        foreach (var (i, row) in _rows.Index())
            row.Held = i % 4 == 1;
        _view = _context.Keyed(_rows);
    }

    [Test]
    public void It_is_that_of_a_fit_on_labels_judged_on_the_held_out_rows()
    {
        var options = Options(_context.Saying(_view, RowsTeachers.Rule));
        var alone = Preflight(options).Alone!;
        var held = _rows.Where(row => row.Held).ToArray();
        var labels = held.Select(row => Array.IndexOf(Rows.Classes, row.Label)).ToArray();
        // The same training rows, and no validation by which an epoch would be chosen.
        var fitted = _context.Fit(
            options with { Teacher = null, Method = DistillationMethod.LabelsOnly(), CompareAlone = false, ValidationColumnName = null },
            _context.Data.FilterByCustomPredicate<Point>(_view, row => row.Held));
        var accuracy = Rows.Agreement(fitted.Predictions(_context.Data.FilterByCustomPredicate<Point>(_view, row => !row.Held)), labels);
        Assert.Multiple(() =>
        {
            Assert.That(alone.Rows, Is.EqualTo(60));
            Assert.That(alone.Accuracy, Is.EqualTo(accuracy).Within(1e-12));
            Assert.That(alone.TeacherOverAlone!.Value.Value, Is.EqualTo(Rows.Agreement(held.Select(RowsTeachers.RuleClass).ToArray(), labels) - accuracy).Within(1e-12));
            Assert.That(alone.TeacherOverAlone.Value.Lower, Is.LessThan(alone.TeacherOverAlone.Value.Value));
            Assert.That(alone.Steps, Is.EqualTo(fitted.Model.History.Count * 12), "180 rows in batches of at most 16");
        });
    }

    [Test]
    public void A_teacher_that_is_worse_is_warned_of_with_advice()
    {
        var report = Preflight(Options(_context.Saying(_view, RowsTeachers.Rule)) with { Epochs = 20 });
        Assert.Multiple(() =>
        {
            Assert.That(report.Warnings, Has.One.StartsWith("The teacher is hardly better than the same student trained on labels alone: on 60 held-out rows with a label its accuracy differs by −"));
            Assert.That(report.Advice, Has.One.StartsWith("take the student alone (DistillationMethod.LabelsOnly) or a better teacher"));
            Assert.That($"{report}", Does.Match(@"alone +accuracy [01]\.\d{4} on 60 held-out rows, after 240 steps on the labels \([\d.]+ s\); the teacher's minus this: −\d"));
        });
    }

    [Test]
    public void A_better_teacher_is_not_warned_of()
    {
        // One step leaves the student near chance.
        var report = Preflight(Options(Teacher.FromTransformer(_context.Regression().Fit(_view))) with { Epochs = 1, BatchSize = 200 });
        Assert.Multiple(() =>
        {
            Assert.That(report.Alone!.TeacherOverAlone!.Value.Value, Is.GreaterThan(0.1));
            Assert.That(report.Warnings, Has.None.Contains("hardly better"));
        });
    }

    [Test]
    public void A_teacher_that_is_yet_to_be_trained_leaves_its_part_open()
    {
        var report = Preflight(Options(Teacher.Train(NetworkSpec.Mlp(12))));
        Assert.Multiple(() =>
        {
            Assert.That((report.Alone!.Rows, report.Alone.TeacherOverAlone), Is.EqualTo((60L, (Estimate?)null)));
            Assert.That($"{report.Alone}", Does.EndWith(" s); the teacher's on such rows is not known before the fit"));
        });
    }

    [Test]
    public void Without_held_out_rows_it_says_what_is_missing()
    {
        var report = Preflight(Options(_context.Saying(_view, RowsTeachers.Rule)) with { ValidationColumnName = null });
        Assert.Multiple(() =>
        {
            Assert.That(report.Alone, Is.Null);
            Assert.That(report.Advice, Has.One.EqualTo("hold more labelled rows out (ValidationFraction), so that CompareAlone has at least 30 rows to compare by"));
        });
    }

    [Test]
    public void Without_the_option_nothing_is_trained()
    {
        var report = Preflight(Options(_context.Saying(_view, RowsTeachers.Rule)) with { CompareAlone = false });
        Assert.That((report.Alone, report.Advice.Any(advice => advice.Contains("CompareAlone"))), Is.EqualTo(((PreflightAlone?)null, false)));
    }

    [Test]
    public void It_is_no_longer_than_the_default_and_reports_no_progress()
    {
        var progress = new RowsProgress();
        var alone = Preflight(Options(_context.Saying(_view, RowsTeachers.Rule)) with { Epochs = 10_000, Student = NetworkSpec.Mlp(2), Progress = progress }).Alone!;
        Assert.Multiple(() =>
        {
            // 180 rows in batches of at most 16.
            Assert.That(alone.Steps, Is.EqualTo(12 * 42));
            Assert.That(progress.Reports, Is.Empty);
        });
    }

    [Test]
    public void With_few_labels_it_has_as_many_steps_as_a_fit_and_not_as_few_as_its_epochs_make()
    {
        // 15 labels are one batch; the fit has 12 batches in an epoch.
        var rows = Rows.Points();
        foreach (var (i, row) in rows.Index())
            (row.Held, row.Label) = (i % 4 == 1, i % 4 != 1 && i % 16 != 0 ? "" : row.Label);
        var alone = Preflight(Options(_context.Saying(_view, RowsTeachers.Rule)) with { Epochs = 10, MissingLabels = MissingLabels.TeacherOnly }, Unlabelled(rows)).Alone!;
        Assert.That(alone.Steps, Is.EqualTo(120));
    }

    [Test]
    public void Held_out_rows_with_a_label_are_found_among_many_without()
    {
        // 20,000 held-out rows, of which 512 are queried, and 40 labels among them.
        var rows = Rows.Points(20_240);
        foreach (var (i, row) in rows.Index())
            (row.Held, row.Label) = (i >= 240, i >= 240 && i % 500 != 7 ? "" : row.Label);
        var report = Preflight(
            Options(Teacher.FromTransformer(_context.Regression().Fit(_view), classNames: Rows.Classes)) with { MissingLabels = MissingLabels.TeacherOnly }, Unlabelled(rows));
        Assert.Multiple(() =>
        {
            Assert.That(report.Alone!.Rows, Is.EqualTo(40));
            Assert.That(report.Alone.TeacherOverAlone, Is.Not.Null);
        });
    }

    [Test]
    public void Few_held_out_rows_give_no_warning_but_advice()
    {
        var rows = Rows.Points();
        foreach (var row in rows[..3])
            row.Held = true;
        var report = Preflight(Options(_context.Saying(_view, RowsTeachers.Rule)) with { Epochs = 20 }, _context.Keyed(rows));
        Assert.Multiple(() =>
        {
            Assert.That(report.Alone!.Rows, Is.EqualTo(3));
            Assert.That(report.Warnings, Has.None.Contains("hardly better"));
            Assert.That(report.Advice, Has.One.StartsWith("hold more labelled rows out"));
        });
    }

    [Test]
    public void A_training_that_diverges_is_a_warning_of_the_report()
    {
        var report = Preflight(Options(_context.Saying(_view, RowsTeachers.Rule)) with { Optimizer = Optimizer.Sgd(1e30) });
        Assert.Multiple(() =>
        {
            Assert.That(report.Alone, Is.Null);
            Assert.That(report.Warnings, Has.One.StartsWith("The student alone (CompareAlone) could not be trained: "));
            Assert.That(report.Teacher!.Accuracy, Is.Not.Null);
        });
    }

    /// <summary>Rows whose class is empty have no label.</summary>
    private IDataView Unlabelled(IEnumerable<Point> rows) => _context.Transforms.Conversion
        .MapValueToKey("Class", "Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
        .Fit(_context.Data.LoadFromEnumerable(Rows.Points())).Transform(_context.Data.LoadFromEnumerable(rows));

    private PreflightReport Preflight(DistillationOptions options, IDataView rows) => _context.MulticlassClassification.Trainers.Distill(options).Preflight(rows);

    private PreflightReport Preflight(DistillationOptions options) => _context.MulticlassClassification.Trainers.Distill(options).Preflight(_view);

    private static DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with { CompareAlone = true, ValidationColumnName = "Held", MinimumTeacherAccuracy = 0 };
}
