using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>With all defaults a student of Iris made 30 steps, one in each epoch, and was right on half of the rows.</summary>
public sealed class FewStepsTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void With_all_defaults_a_student_learns_a_small_set()
    {
        var (train, test) = Irises();

        var model = _context.MulticlassClassification.Trainers.Distill(NetworkSpec.Mlp(16), DistillationMethod.LabelsOnly(), "Class").Fit(train);

        Assert.Multiple(() =>
        {
            Assert.That(_context.MulticlassClassification.Evaluate(model.Transform(test), "Class").MicroAccuracy, Is.GreaterThan(0.9));
            Assert.That(model.Model.History, Has.Count.EqualTo(500), "one step in each");
            Assert.That(model.Model.Notes, Has.One.EqualTo("With so few rows 30 epochs are too few steps. Epochs is not set, so training takes 500 epochs."));
            Assert.That(model.Model.Settings.Single(setting => setting.Name == "Epochs").Value, Is.EqualTo("500"));
            Assert.That(model.Model.Warnings, Is.Empty);
        });
    }

    [Test]
    public void Epochs_that_are_set_are_kept_and_too_few_of_them_warned_of()
    {
        var (train, _) = Irises();
        var trainer = _context.MulticlassClassification.Trainers.Distill(NetworkSpec.Mlp(16), DistillationMethod.LabelsOnly(), "Class", epochs: 30);

        var student = trainer.Fit(train).Model;

        const string Said = "The training has 30 steps (30 epochs, BatchSize 128) at a learning rate of at most 0.01: too few for a network with random weights. Give about ";
        Assert.Multiple(() =>
        {
            Assert.That(student.History, Has.Count.EqualTo(30));
            Assert.That(student.Warnings, Has.One.StartsWith(Said));
            Assert.That(trainer.Preflight(train).Warnings, Has.One.StartsWith(Said));
        });
    }

    [TestCase(16, 240, 15 * 34)]
    [TestCase(128, 4000, 32 * 30)]
    public void The_default_makes_five_hundred_steps_at_least_and_thirty_epochs(int batchSize, int rows, int steps)
    {
        var options = Rows.Quick();
        var report = _context.MulticlassClassification.Trainers
            .Distill(new DistillationOptions { Student = options.Student, Method = options.Method, LabelColumnName = "Class", BatchSize = batchSize }).Preflight(_context.Keyed(Rows.Points(rows)));
        Assert.That(report.Stages.Sum(stage => stage.Epochs * stage.StepsPerEpoch), Is.EqualTo(steps));
    }

    [Test]
    public void Exact_batches_make_five_hundred_steps_too()
    {
        // 255 rows are two batches of KD, and one of DIST, which has no smaller ones.
        var report = _context.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = Teacher.Train(NetworkSpec.Mlp(8)),
            Student = NetworkSpec.Mlp(8),
            Method = DistillationMethod.Dist(),
            LabelColumnName = "Class",
        }).Preflight(_context.Keyed(Rows.Points(255)));
        Assert.That(report.Stages.Sum(stage => stage.Epochs * stage.StepsPerEpoch), Is.EqualTo(500));
    }

    [Test]
    public void A_student_that_starts_trained_needs_few_steps()
    {
        var view = _context.Keyed(Rows.Points());
        var first = _context.Fit(Rows.Quick(), view);
        var options = Rows.Quick() with { InitialWeights = InitialWeights.From(first.Model), Epochs = 1, Optimizer = Optimizer.AdamW(0.0001) };
        Assert.That(_context.Fit(options, view).Model.Warnings, Is.Empty);
    }

    [Test]
    public void A_teacher_trained_on_the_spot_has_five_hundred_steps_of_its_own_and_a_route_thirty_epochs()
    {
        // 240 rows are two batches; with five made-up rows for each, 1,440 are twelve, on which the teacher is not trained.
        var view = _context.Keyed(Rows.Points(240));
        DistillationTrainer Trainer(Teacher teacher, DistillationMethod method, TransferRows? transferRows = null) => _context.MulticlassClassification.Trainers.Distill(
            new DistillationOptions { Teacher = teacher, Method = method, Student = NetworkSpec.Mlp(8), LabelColumnName = "Class", TransferRows = transferRows });
        (int Student, int Teacher) Epochs(TransferRows? transferRows)
        {
            var student = Trainer(Teacher.Train(NetworkSpec.Mlp(16)), DistillationMethod.Kd(), transferRows).Fit(view);
            return (student.Model.History.Count, ((DistillationTransformer)student.Teacher!).Model.History.Count);
        }

        Assert.Multiple(() =>
        {
            Assert.That(Epochs(null), Is.EqualTo((250, 250)));
            Assert.That(Epochs(TransferRows.Munge(copies: 5)), Is.EqualTo((42, 250)));
            Assert.That(Trainer(Route.Train(NetworkSpec.Mlp(16), every: 10), DistillationMethod.Rco()).Preflight(view).Stages[0].Epochs, Is.EqualTo(30));
        });
    }

    private (IDataView Train, IDataView Test) Irises()
    {
        var rows = _context.Irises();
        var split = _context.Data.TrainTestSplit(rows, testFraction: 0.2, seed: 1);
        var toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(rows);
        return (toKey.Transform(split.TrainSet), toKey.Transform(split.TestSet));
    }
}
