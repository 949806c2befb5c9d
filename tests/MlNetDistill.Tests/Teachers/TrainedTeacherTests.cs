using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

public sealed class TrainedTeacherTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public TrainedTeacherTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void A_network_trained_on_the_spot_is_handed_out_as_a_model_that_evaluates_well()
    {
        var model = _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(24), epochs: 8)), _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Teacher, Is.TypeOf<DistillationTransformer>());
            var teacher = model.Teacher!.FindStudent();
            Assert.That(teacher.Model.Spec, Is.EqualTo(NetworkSpec.Mlp(24)));
            Assert.That(teacher.Model.History, Has.Count.EqualTo(8));
            Assert.That(_context.MulticlassClassification.Evaluate(teacher.Transform(_view), "Class").MicroAccuracy, Is.GreaterThan(0.9));
            Assert.That(Rows.Agreement(model.Predictions(_view), teacher.Predictions(_view)), Is.GreaterThan(0.93));
        });
    }

    [Test]
    public void The_teacher_that_is_handed_out_is_the_one_that_taught()
    {
        // With alpha = 1 a student of the same size, however long it learns, can only come to the teacher's own scores.
        var model = _context.Fit(
            Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 1)) with { Method = DistillationMethod.Kd(temperature: 1, alpha: 1), Epochs = 25, MinimumTeacherAccuracy = 0 },
            _view);
        var differences = model.Scores(_view).Zip(model.Teacher!.Scores(_view), (s, t) => s.Zip(t, (a, b) => Math.Abs(a - b)).Max());
        Assert.That(differences.Average(), Is.LessThan(0.03));
    }

    [Test]
    public void Its_epochs_are_reported_as_a_stage_of_their_own_before_the_students()
    {
        var progress = new RowsProgress();
        _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 2)) with { Progress = progress, Epochs = 1 }, _view);
        Assert.That(progress.Reports.Select(r => $"{r.Stage} {r.Epoch}/{r.Epochs}"), Is.EqualTo(new[] { "teacher 1/2", "teacher 2/2", "KD 1/1" }));
    }
}
