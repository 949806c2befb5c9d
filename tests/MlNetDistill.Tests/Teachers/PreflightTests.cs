using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

public sealed class PreflightTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public PreflightTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void A_preflight_says_what_a_fit_will_find()
    {
        var teacher = _context.Regression().Fit(_view);
        var trainer = _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromTransformer(teacher)) with { ValidationFraction = 0.25 });
        var report = trainer.Preflight(_view);
        TestContext.Out.WriteLine(report);
        Assert.Multiple(() =>
        {
            Assert.That((report.Rows, report.TrainingRows, report.ValidationRows, report.Classes), Is.EqualTo((240, 180, 60, 3)));
            Assert.That(report.StudentParameters, Is.EqualTo((4 * 8) + 8 + (8 * 3) + 3));
            Assert.That(report.Teacher!.Gives, Is.EqualTo(OutputKinds.Logits));
            Assert.That((report.Teacher.RowsAsked, report.Teacher.OnValidationRows), Is.EqualTo((60, true)));
            Assert.That(report.Teacher.Accuracy, Is.EqualTo(teacher.AccuracyOn(Rows.Points(), _view)).Within(0.05));
            Assert.That(report.Teacher.AgreementCeiling, Is.EqualTo(1), "no two rows are alike");
            Assert.That(report.Stages.Single().StepsPerEpoch, Is.EqualTo(180 / 16));
            Assert.That(report.TrainingTime, Is.GreaterThan(TimeSpan.Zero));
            Assert.That(report.AnswerBytes, Is.EqualTo(240 * 3 * 4));
            Assert.That(report.DataBytes, Is.EqualTo(240 * ((4 * 4) + 8)));
            Assert.That(report.Warnings, Is.Empty);
            Assert.That(report.ToString().Split(Environment.NewLine), Has.Length.LessThan(24), "one screen");
        });
    }

    [Test]
    public void A_fit_logs_what_a_preflight_says()
    {
        var log = new RowsLog(_context);
        _context.Fit(Rows.Quick(Teacher.FromTransformer(_context.Regression().Fit(_view))), _view);
        Assert.That(log.Lines, Has.Some.StartsWith("Preflight").And.Some.Contains("a student that sees these features alone can agree with it on at most 1.0000 of them"));
    }

    [Test]
    public void Rows_that_look_alike_to_the_student_bound_its_agreement()
    {
        // The student sees each point twice, the teacher also the weight, by which it answers one or the other.
        var rows = Rows.Points(60).SelectMany(p => new[] { p, new Point { Label = p.Label, Features = p.Features, Weight = 2 } });
        var view = _context.Keyed(rows);
        var teacher = _context.Transforms.CustomMapping<Weighed, Answer>((row, answer) => answer.Score = row.Weight == 2 ? [0.8f, 0.1f, 0.1f] : [0.1f, 0.8f, 0.1f], null).Fit(view);
        var report = Trainer(Teacher.FromTransformer(teacher, classNames: Rows.Classes)).Preflight(view);
        Assert.That(report.Teacher!.AgreementCeiling, Is.EqualTo(0.5));
    }

    [Test]
    public void A_teacher_that_guesses_and_one_that_is_all_too_sure_are_warned_of()
    {
        var sure = Trainer(_context.Saying(_view, _ => [1, 0, 0])).Preflight(_view);
        Assert.That(sure.Warnings, Has.Some.StartsWith("The teacher is right on 0.3333 of the rows").And.Some.Contains("mean confidence is 1.0000"));
    }

    [Test]
    public void Nothing_is_trained_for_a_preflight()
    {
        var progress = new RowsProgress();
        var trainer = _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.Train(Student.Mlp(32))) with { Progress = progress });
        var report = trainer.Preflight(_view);
        Assert.Multiple(() =>
        {
            Assert.That(progress.Reports, Is.Empty);
            Assert.That(report.Teacher, Is.Null);
            Assert.That(report.ToString(), Does.Contain("MLP 32 is trained first, which is not in the times below"));
            Assert.That(report.Stages.Single().Epochs, Is.EqualTo(6));
        });
    }

    [Test]
    public void Every_stage_of_a_method_has_its_cost()
    {
        var report = _context.MulticlassClassification.Trainers
            .Distill(Rows.Quick(Teacher.Train(Student.Mlp(16, 12))) with { Student = Student.Mlp(8, 8), Method = DistillationMethod.Sskd(), Epochs = 9 }).Preflight(_view);
        Assert.That(report.Stages.Select(s => s.Name), Is.EqualTo(new[] { "SSKD stage 1", "SSKD stage 2", "SSKD head" }));
        Assert.That(report.Stages.Select(s => s.TimePerStep), Has.All.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public void A_fit_is_the_same_after_a_preflight_and_without()
    {
        var options = Rows.Quick(Teacher.Train(Student.Mlp(16), epochs: 4));
        var trainer = _context.MulticlassClassification.Trainers.Distill(options);
        trainer.Preflight(_view);
        Assert.That(trainer.Fit(_view).Scores(_view), Is.EqualTo(_context.Fit(options, _view).Scores(_view)));
    }

    [Test]
    public void What_would_fail_in_a_fit_fails_in_a_preflight() => Assert.That(
        () => Trainer(_context.Saying(_view, _ => [1, 2, 3])).Preflight(_view), Throws.InvalidOperationException.With.Message.Contains("does not hold probabilities"));

    private DistillationTrainer Trainer(Teacher teacher) => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher));

    private sealed class Weighed
    {
        public float Weight { get; set; }
    }

    private sealed class Answer
    {
        [Microsoft.ML.Data.VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
