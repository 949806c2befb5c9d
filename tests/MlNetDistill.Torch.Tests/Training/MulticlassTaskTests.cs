using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What a classifier is trained for.</summary>
public sealed class MulticlassTaskTests
{
    private readonly MulticlassTask _task = new(3);

    [Test]
    public void Accuracy_and_cross_entropy_are_those_computed_by_hand()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[,] { { 2, 0, 0 }, { 0, 1, 0 }, { 0, 0, 3 }, { 9, 0, 0 } });
        var labels = tensor(new[] { 0L, 0, 2, IRowSource.MissingLabel });
        var (measure, accuracy, loss) = _task.Evaluate(logits, labels, null);
        var (_, weighted, _) = _task.Evaluate(logits, labels, tensor(new float[] { 1, 2, 1, 50 }));
        double[] losses = [Math.Log(Math.Exp(2) + 2) - 2, Math.Log(Math.E + 2), Math.Log(Math.Exp(3) + 2) - 3];
        Assert.Multiple(() =>
        {
            Assert.That(measure, Is.EqualTo("accuracy"));
            Assert.That(accuracy, Is.EqualTo(2 / 3.0), "a row without a label does not count");
            Assert.That(loss, Is.EqualTo(losses.Average()).Within(1e-6));
            Assert.That(weighted, Is.EqualTo(0.5));
        });
    }

    [TestCase(3)]
    [TestCase(-1)]
    public void A_label_that_is_no_class_is_refused_before_the_first_step(long label)
    {
        using var set = Toy.Set(zeros(4, 2), [0, 2, label, 1], InputShape.Vector(2), 3);
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        var before = Runs.State(network);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1)),
            Throws.InvalidOperationException.With.Message.EqualTo(
                FormattableString.Invariant($"Row 2 (counted from 0) has label {label}. Labels are class indices from 0 to 2, or -100 for a row without a label.")));
        Assert.That(Runs.State(network), Is.EqualTo(before));
    }

    /// <summary>Another task than classification trains by the same loop: it counts its own labels and names its own measure.</summary>
    [Test]
    public void The_loop_knows_nothing_of_classes()
    {
        using var set = Toy.Set(ones(8, 2), [500, 501, 502, 503, 504, 505, 506, 507], InputShape.Vector(2), 1);
        using var held = tensor(Enumerable.Range(0, 8).Select(i => i % 2 == 0).ToArray());
        using var split = DataSplit.ByMask(set, held);
        using var network = NetworkSpec.Mlp(4).Build(new NetworkInput(set.Shape, set.IsByte), 1, 1);
        var reports = new List<TrainingProgress>();
        using var loop = new TrainingLoop(network, new Years(), set, split, new Seeds(1), "student", new LoopSettings { Report = reports.Add });
        loop.Run([Runs.Stage(2, new Years().LabelLoss, batchSize: 2)]);
        Assert.Multiple(() =>
        {
            Assert.That(reports, Has.Count.EqualTo(2));
            Assert.That(reports.Select(report => report.Validation?.Measure), Has.All.EqualTo("closeness"));
            Assert.That($"{reports[0]}", Does.Contain("validation closeness 0.").And.Contain("squaredYears"));
            Assert.That(reports[1].Losses["squaredYears"], Is.LessThan(reports[0].Losses["squaredYears"]));
        });
    }

    /// <summary>One number a row, 500 to 507.</summary>
    private sealed class Years : StudentTask
    {
        public override int LogitCount => 1;

        public override Losses.DistillationLoss LabelLoss => new Squared();

        public override void CheckLabels(IRowSource set)
        {
        }

        public override ValidationResult Evaluate(Tensor logits, Tensor labels, Tensor? weights)
        {
            using var scope = NewDisposeScope();
            var error = logits.squeeze(1).sub(labels.to(float32).DivideBy(500)).abs().mean().item<float>();
            return new("closeness", 1 / (1 + error), error);
        }

        public override ValidationResult EvaluateAgainstTeacher(Tensor logits, Tensor teacher, Tensor? weights) => throw new NotSupportedException();

        private sealed class Squared : Losses.DistillationLoss
        {
            public override string Name => "squaredYears";

            public override ModelOutputs TeacherNeeds => ModelOutputs.None;

            public override Tensor Evaluate(Losses.LossInputs inputs) =>
                inputs.Mean(inputs.Student.Logits.squeeze(1).sub(inputs.Labels.to(float32).DivideBy(500)).square());
        }
    }
}
