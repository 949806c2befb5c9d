using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

public sealed class FittedTeacherTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public FittedTeacherTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void The_student_learns_one_versus_all_trees() => Assert.That(AgreementAfterLearning(_context.Trees()), Is.GreaterThan(0.9));

    [Test]
    public void The_student_learns_a_multinomial_regression() => Assert.That(AgreementAfterLearning(_context.Regression()), Is.GreaterThan(0.95));

    [Test]
    public void The_student_learns_a_calibrated_model() => Assert.That(
        AgreementAfterLearning(_context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label").Append(
            _context.MulticlassClassification.Trainers.OneVersusAll(_context.BinaryClassification.Trainers.LinearSvm("TeacherClass"), "TeacherClass"))),
        Is.GreaterThan(0.9));

    [Test]
    public void With_alpha_one_the_labels_make_no_difference_at_all()
    {
        var teacher = _context.Regression().Fit(_view);
        var shuffled = Rows.Points();
        for (var i = 0; i < shuffled.Length; i++)
            shuffled[i].Label = Rows.Classes[(i < 3 ? i : (i * 7) + (i / 5)) % 3];
        var options = Rows.Quick(Teacher.FromTransformer(teacher)) with { Method = DistillationMethod.Kd(alpha: 1), MinimumTeacherAccuracy = 0 };
        var garbled = _context.Fit(options, _context.Keyed(shuffled));
        Assert.Multiple(() =>
        {
            Assert.That(Rows.Agreement(garbled.Predictions(_view), teacher.Predictions(_view)), Is.GreaterThan(0.95));
            Assert.That(garbled.Scores(_view), Is.EqualTo(_context.Fit(options, _view).Scores(_view)));
        });
    }

    [Test]
    public void A_student_learns_from_its_teacher_what_no_label_says()
    {
        var model = _context.Fit(
            Rows.Quick(_context.Saying(_view, RowsTeachers.Rule)) with { Method = DistillationMethod.Kd(alpha: 1), MinimumTeacherAccuracy = 0, Epochs = 15 },
            _view);
        Assert.That(Rows.Agreement(model.Predictions(_view), [.. Rows.Points().Select(RowsTeachers.RuleClass)]), Is.GreaterThan(0.85));
    }

    [Test]
    public void Training_leaves_the_teacher_as_it_was()
    {
        var teacher = _context.Trees().Fit(_view);
        var before = teacher.Scores(_view);
        _context.Fit(Rows.Quick(Teacher.FromTransformer(teacher)), _view);
        Assert.That(teacher.Scores(_view), Is.EqualTo(before));
    }

    [Test]
    public void The_fitted_model_carries_its_teacher()
    {
        var teacher = _context.Regression().Fit(_view);
        Assert.That(_context.Fit(Rows.Quick(Teacher.FromTransformer(teacher)) with { Epochs = 1 }, _view).Teacher, Is.SameAs(teacher));
    }

    [Test]
    public void A_column_that_the_teacher_misses_was_named_without_saying_that_the_teacher_reads_it()
    {
        var renamed = _context.Transforms.CopyColumns("Other", "Features").Fit(_view).Transform(_view);
        var teacher = _context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class", "Other").Fit(renamed);
        Assert.That(() => _context.Fit(Rows.Quick(Teacher.FromTransformer(teacher)), _view), Throws.InvalidOperationException.With.Message.StartsWith(
            "The teacher cannot run on the columns that the trainer receives: ").And.Message.Contains("'Other'").And.Message.Contains("'Features' (Vector<Single, 4>)"));
    }

    [Test]
    public void A_teacher_that_was_disposed_is_told_apart_from_a_row_that_is_wrong()
    {
        var loaded = _context.Reloaded(_context.Fit(Rows.Quick() with { Epochs = 1 }, _view), _view.Schema);
        ((IDisposable)loaded).Dispose();
        Assert.That(() => _context.Fit(Rows.Quick(Teacher.FromTransformer(loaded)), _view), Throws.InvalidOperationException.With.Message.EndsWith(
            "A disposed model fails so: keep it until this is over. PredictionEngine.Dispose disposes a loaded model, unless PredictionEngineOptions.OwnsTransformer is false."));
    }

    [Test]
    public void The_teachers_accuracy_is_logged()
    {
        var context = Rows.Context();
        var log = new RowsLog(context);
        var view = context.Keyed(Rows.Points());
        context.Fit(Rows.Quick(context.Saying(view, _ => [0.8f, 0.1f, 0.1f])) with { MinimumTeacherAccuracy = 0, Epochs = 1 }, view);
        Assert.That(log.Lines, Has.One.EqualTo("The teacher's accuracy on the labelled training rows is 0.3333 (always predicting the most frequent class gives 0.3333), the mean over classes 0.3333 (always predicting one class gives 0.3333)."));
    }

    private double AgreementAfterLearning(IEstimator<ITransformer> estimator)
    {
        var teacher = estimator.Fit(_view);
        var model = _context.Fit(Rows.Quick(Teacher.FromTransformer(teacher)), _view);
        return Rows.Agreement(model.Predictions(_view), teacher.Predictions(_view));
    }
}
