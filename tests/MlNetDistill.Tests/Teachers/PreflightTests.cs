using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Fitting;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;

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
            Assert.That(report.Teacher!.Gives, Is.EqualTo(ModelOutputs.Logits));
            Assert.That((report.Teacher.RowsQueried, report.Teacher.OnValidationRows), Is.EqualTo((60, true)));
            Assert.That(report.Teacher.Accuracy, Is.EqualTo(teacher.AccuracyOn(Rows.Points(), _view)).Within(0.05));
            Assert.That(report.Teacher.AgreementCeiling, Is.EqualTo(1), "no two rows are alike");
            Assert.That(report.Stages.Single().StepsPerEpoch, Is.EqualTo(12), "⌈180 / 16⌉");
            Assert.That(report.TrainingTime, Is.GreaterThan(TimeSpan.Zero));
            Assert.That(report.CacheBytes, Is.EqualTo(240 * 3 * 4));
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
        Assert.That(log.Lines, Has.Some.StartsWith("Preflight").And.Some.Contains("a student with only these features can reach an agreement of at most 1.0000"));
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
        Assert.That(sure.Warnings, Has.Some.StartsWith("The teacher's accuracy on the rows it was queried for is 0.3333 ").And.Some.Contains("mean confidence is 1.0000"));
    }

    [Test]
    public void Nothing_is_trained_for_a_preflight()
    {
        var progress = new RowsProgress();
        var trainer = _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(32))) with { Progress = progress });
        var report = trainer.Preflight(_view);
        Assert.Multiple(() =>
        {
            Assert.That(progress.Reports, Is.Empty);
            Assert.That(report.Teacher, Is.Null);
            Assert.That(report.ToString(), Does.Contain("MLP 32; it is trained first, which is not in the times below"));
            Assert.That(report.Stages.Single().Epochs, Is.EqualTo(6));
        });
    }

    [Test]
    public void Every_stage_of_a_method_has_its_cost()
    {
        var report = _context.MulticlassClassification.Trainers
            .Distill(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16, 12))) with { Student = NetworkSpec.Mlp(8, 8), Method = DistillationMethod.Sskd(), Epochs = 9 }).Preflight(_view);
        Assert.That(report.Stages.Select(s => s.Name), Is.EqualTo(new[] { "SSKD stage 1", "SSKD stage 2", "SSKD head" }));
        Assert.That(report.Stages.Select(s => s.TimePerStep), Has.All.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public void A_fit_is_the_same_after_a_preflight_and_without()
    {
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16), epochs: 4));
        var trainer = _context.MulticlassClassification.Trainers.Distill(options);
        trainer.Preflight(_view);
        Assert.That(trainer.Fit(_view).Scores(_view), Is.EqualTo(_context.Fit(options, _view).Scores(_view)));
    }

    [Test]
    public void A_preflight_drew_from_the_generator_of_the_application()
    {
        static byte[] State() => torch.random.get_rng_state().data<byte>().ToArray();
        var before = State();
        Trainer(Teacher.FromTransformer(_context.Regression().Fit(_view))).Preflight(_view);
        Assert.That(State(), Is.EqualTo(before));
    }

    [Test]
    public void A_route_of_twenty_anchors_did_not_fit_on_the_screen()
    {
        var options = Rows.Quick(Route.Train(NetworkSpec.Mlp(16), every: 1, epochs: 20)) with { Method = DistillationMethod.Rco() };
        var report = _context.MulticlassClassification.Trainers.Distill(options).Preflight(_view);
        Assert.Multiple(() =>
        {
            Assert.That(report.Stages, Has.Count.EqualTo(20));
            Assert.That(report.ToString().Split(Environment.NewLine), Has.Length.LessThan(24));
            Assert.That(report.ToString(), Does.Contain("… 11 more stages …").And.Contain("epoch 20 (final)"));
        });
    }

    [Test]
    public void A_pass_over_many_rows_was_taken_for_the_cost_of_the_few_asked_about()
    {
        // An answer costs little and a pass much, whoever asks about however few rows.
        var view = _context.Keyed(Rows.Points(6000));
        var slow = _context.Data.FilterByCustomPredicate<Point>(view, _ =>
        {
            Thread.SpinWait(2000);
            return false;
        });
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.That(slow.GetColumn<float>("Weight").Count(), Is.EqualTo(6000));
        var pass = clock.Elapsed;
        var report = Trainer(Teacher.FromTransformer(_context.Regression().Fit(view))).Preflight(slow);
        Assert.That(report.TeacherTime, Is.LessThan(4 * pass), $"{pass}");
    }

    [Test]
    public void A_look_at_a_few_rows_asked_about_all_of_them()
    {
        var view = _context.Keyed(Rows.Points(4000));
        var asked = 0;
        var teacher = _context.Saying(view, f =>
        {
            Interlocked.Increment(ref asked);
            return RowsTeachers.Rule(f);
        });
        Trainer(teacher).Preflight(view);
        Assert.That(asked, Is.EqualTo(512));
    }

    [Test]
    public void Anchors_that_share_a_stage_were_counted_as_one()
    {
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(_view));
        PreflightReport Look(RcoSchedule schedule) => _context.MulticlassClassification.Trainers.Distill(
            Rows.Quick(Route.FromTeachers(("a", teacher), ("b", teacher), ("c", teacher))) with { Method = DistillationMethod.Rco(schedule: schedule) }).Preflight(_view);
        Assert.That(Look(RcoSchedule.OneStage).CacheBytes, Is.EqualTo(3 * 240 * 3 * 4).And.EqualTo(Look(RcoSchedule.Restart).CacheBytes));
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
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
