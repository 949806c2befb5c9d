using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

public sealed class EnsembleTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public EnsembleTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void An_ensemble_teaches_the_mean_of_its_members_probabilities()
    {
        static float[] First(float[] f) => f[0] > 0.3f ? [0.9f, 0.1f, 0] : [0.2f, 0.5f, 0.3f];
        static float[] Second(float[] f) => f[1] > 0 ? [0.1f, 0.7f, 0.2f] : [0.3f, 0.1f, 0.6f];
        // A weighted mean by hand; the temperature softens it, not the members.
        static float[] Mean(float[] f) => [.. First(f).Zip(Second(f), (a, b) => (0.25f * a) + (0.75f * b))];

        var ensemble = Fit(Teacher.Ensemble((_context.Saying(_view, First), 1), (_context.Saying(_view, Second), 3)));
        var mean = Fit(_context.Saying(_view, Mean));
        Assert.That(ensemble.SelectMany(s => s), Is.EqualTo(mean.SelectMany(s => s)).Within(2e-3));
    }

    [Test]
    public void A_member_of_no_weight_says_nothing()
    {
        var sure = _context.Saying(_view, RowsTeachers.Rule);
        var other = _context.Saying(_view, _ => [0.2f, 0.2f, 0.6f]);
        Assert.That(Fit(Teacher.Ensemble((sure, 2), (other, 0))).SelectMany(s => s), Is.EqualTo(Fit(sure).SelectMany(s => s)).Within(1e-3));
    }

    [Test]
    public void Members_may_be_of_any_kinds()
    {
        var ensemble = Teacher.Ensemble(
            Teacher.FromTransformer(_context.Regression().Fit(_view)),
            Teacher.FromEstimator(_context.Trees(), folds: 2),
            Teacher.Train(NetworkSpec.Mlp(16), epochs: 10));
        var model = _context.Fit(Rows.Quick(ensemble) with { Method = DistillationMethod.Kd(alpha: 1), Epochs = 12 }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
            Assert.That(model.Teacher, Is.Null, "there is no ML.NET model of the mean");
        });
    }

    [Test]
    public void Networks_of_one_kind_do_not_begin_with_the_same_weights()
    {
        // Were they the same, their mean would be the teacher that is alone.
        float[][] Student(Teacher teacher) => Fit(teacher);
        var alone = Student(Teacher.Train(NetworkSpec.Mlp(6), epochs: 1));
        var two = Student(Teacher.Ensemble(
            Teacher.Train(NetworkSpec.Mlp(6), epochs: 1), Teacher.Train(NetworkSpec.Mlp(6), epochs: 1)));
        var log = new RowsProgress();
        _context.Fit(Rows.Quick(Teacher.Ensemble(Teacher.Train(NetworkSpec.Mlp(6), epochs: 1), Teacher.Train(NetworkSpec.Mlp(6), epochs: 1))) with { Progress = log, MinimumTeacherAccuracy = 0 }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(two.SelectMany(s => s), Is.Not.EqualTo(alone.SelectMany(s => s)).Within(1e-3));
            Assert.That(log.Reports.Select(r => r.Stage).Distinct(), Is.EqualTo(new[] { "teacher 1", "teacher 2", "KD" }));
            Assert.That(log.Reports[0].Losses["crossEntropy"], Is.Not.EqualTo(log.Reports[1].Losses["crossEntropy"]));
        });
    }

    [Test]
    public void An_ensemble_of_networks_answers_for_augmented_rows()
    {
        var ensemble = Teacher.Ensemble(Teacher.Train(NetworkSpec.Mlp(8), epochs: 8), Teacher.Train(NetworkSpec.Mlp(8), epochs: 8));
        var options = Rows.Quick(ensemble) with { Augmentations = [Augmentation.GaussianNoise(0.2)], Epochs = 10 };
        Assert.That(_context.Fit(options, _view).AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_member_that_cannot_be_opened_showed_only_after_another_was_trained()
    {
        var progress = new RowsProgress();
        var trainer = _context.MulticlassClassification.Trainers.Distill(
            Rows.Quick(Teacher.Ensemble(Teacher.Train(NetworkSpec.Mlp(6)), Teacher.FromOnnx("nowhere.onnx", classNames: Rows.Classes))) with { Progress = progress });
        Assert.Multiple(() =>
        {
            Assert.That(() => trainer.Preflight(_view), Throws.InvalidOperationException.With.Message.StartsWith("The ONNX model 'nowhere.onnx' does not exist"));
            Assert.That(() => trainer.Fit(_view), Throws.InvalidOperationException.With.Message.StartsWith("The ONNX model 'nowhere.onnx' does not exist"));
            Assert.That(progress.Reports, Is.Empty);
        });
    }

    [Test]
    public void What_is_wrong_with_an_ensemble_is_said_when_the_trainer_is_made()
    {
        Refuses(Teacher.Ensemble(Array.Empty<Teacher>()), "An ensemble needs at least one teacher.");
        Refuses(Teacher.Ensemble((Teacher.Train(NetworkSpec.Mlp(4)), -1)), "An ensemble's weights must be at least 0, one of them above; were -1.");
        Refuses(Teacher.Ensemble(Route.Train(NetworkSpec.Mlp(4))), "Member 1 of the ensemble is a route; take one teacher for it.");
        Refuses(Teacher.Ensemble(Teacher.FromColumn("")), "Member 1 of the ensemble: The teacher's scoreColumnName must be a column name; was empty.");
    }

    private void Refuses(Teacher teacher, string message) => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher)), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(message));

    private float[][] Fit(Teacher teacher) =>
        _context.Fit(Rows.Quick(teacher) with { Method = DistillationMethod.Kd(temperature: 3, alpha: 1), MinimumTeacherAccuracy = 0 }, _view).Scores(_view);
}
