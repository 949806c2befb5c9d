using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A stage that cannot work is refused before its first step, and a teacher is asked once a step and without gradient.</summary>
public sealed class StageCheckTests
{
    [Test]
    public void A_term_over_pairs_of_rows_refuses_example_weights()
    {
        using var set = Toy.Set(randn(4, 2), [0, 1, 0, 1], InputShape.Vector(2), 2, weights: [1, 1, 2, 2]);
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        var loss = new CrossEntropyLoss() + (0.5 * new PairLoss());
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1, loss, batchSize: 4)),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "Stage 'stage' has terms over pairs of rows ('pairs'), which example weights cannot weigh; train without weights."));
    }

    [Test]
    public void A_teacher_that_does_not_give_what_the_loss_reads_is_refused()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1, new PairLoss(), new CountingTeacher(3))),
            Throws.InvalidOperationException.With.Message.EqualTo("Stage 'stage' needs Embedding of its teacher, which gives Logits."));
    }

    [Test]
    public void A_teacher_of_other_classes_is_refused()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1, new KdLoss(2), new CountingTeacher(100))),
            Throws.InvalidOperationException.With.Message.EqualTo("The student has 3 classes, the teacher of stage 'stage' 100."));
    }

    [Test]
    public void A_live_teacher_is_asked_once_a_step_and_never_in_the_gradient_graph()
    {
        using var set = Toy.Clouds(rows: 96);
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        var teacher = new CountingTeacher(3);
        Runs.Train(network, set, Runs.Stage(2, (0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(2)), teacher, batchSize: 16));
        Assert.Multiple(() =>
        {
            Assert.That(teacher.Asked, Is.EqualTo(12));
            Assert.That(teacher.GradientSeen, Is.False);
        });
    }

    [Test]
    public void A_term_that_gives_no_scalar_is_named()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1, new RowLoss())),
            Throws.InvalidOperationException.With.Message.EqualTo("The loss term 'rows' must give a scalar; it gave [16]."));
    }

    private sealed class PairLoss : DistillationLoss
    {
        public override string Name => "pairs";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Embedding;

        public override bool CanUseWeights => false;

        public override Tensor Evaluate(LossInputs inputs) => inputs.Student.Logits.mean();
    }

    private sealed class RowLoss : DistillationLoss
    {
        public override string Name => "rows";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => inputs.Student.Logits.sum(1);
    }

    private sealed class CountingTeacher(int classes) : StageTeacher
    {
        private readonly Tensor _weight = randn(4, classes, requires_grad: true);

        public int Asked { get; private set; }

        public bool GradientSeen { get; private set; }

        public override OutputShapes Shapes => new(classes);

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
        {
            Asked++;
            var logits = batch.Features.mm(_weight);
            GradientSeen |= logits.requires_grad;
            return new NetworkOutput(logits);
        }

        public override Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature)
        {
            var softened = base.LogProbabilities(batch, outputs, temperature);
            GradientSeen |= softened.requires_grad;
            return softened;
        }
    }
}
