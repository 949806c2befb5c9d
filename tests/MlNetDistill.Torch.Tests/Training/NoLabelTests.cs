using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Training;

/// <summary>Stages over rows none of which has a label.</summary>
public sealed class NoLabelTests
{
    private InMemoryRows _set = null!;
    private GivenTeacher _teacher = null!;

    [SetUp]
    public void Unlabelled()
    {
        using var labelled = Toy.Clouds(rows: 60);
        _set = Toy.Set(labelled.AllFeatures(), [.. Enumerable.Repeat((long)IRowSource.MissingLabel, 60)], labelled.Shape, 3);
        _teacher = new GivenTeacher(nn.functional.one_hot(labelled.Labels, 3).to(float32).mul(4.ToScalar()).DetachFromDisposeScope());
    }

    [TearDown]
    public void Dispose()
    {
        _teacher.Dispose();
        _set.Dispose();
    }

    [Test]
    public void Terms_over_labels_are_left_out_and_the_others_keep_their_weights()
    {
        var stage = LabelTerms.RemoveFrom(Runs.Stage(1, (0.1 * new CrossEntropyLoss()) + (2 * new DkdLoss(4)) + (0.9 * new KdLoss(4)), _teacher));
        Assert.That(stage.Loss.Terms.Select(term => (term.Loss.Name, term.Weight)), Is.EqualTo(new[] { ("kd", 0.9) }));
    }

    [Test]
    public void The_student_is_bit_by_bit_that_of_the_teachers_term_alone()
    {
        using var mixed = Runs.Student(NetworkSpec.Mlp(6), _set);
        using var alone = Runs.Student(NetworkSpec.Mlp(6), _set);
        Runs.Train(mixed, _set, LabelTerms.RemoveFrom(Runs.Stage(3, (0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(4)), _teacher)));
        Runs.Train(alone, _set, Runs.Stage(3, 0.9 * new KdLoss(4), _teacher));
        Assert.That(Runs.State(mixed), Is.EqualTo(Runs.State(alone)));
    }

    [Test]
    public void A_loss_that_reads_labels_and_does_not_say_so_is_refused()
    {
        using var network = Runs.Student(NetworkSpec.Mlp(6), _set);
        var stage = LabelTerms.RemoveFrom(Runs.Stage(1, new Undeclared(), _teacher));
        Assert.That(() => Runs.Train(network, _set, stage), Throws.InvalidOperationException.With.Message.EqualTo(
            "A term of the loss reads labels, but no training row has a label. Override NeedsLabels of the loss to return true, so that the term is left out then, or train on " +
            "labelled rows."));
    }

    [Test]
    public void A_share_of_all_rows_is_held_out()
    {
        using var generator = new Generator(1);
        using var split = DataSplit.ByFraction(_set, 0.25, generator);
        Assert.Multiple(() =>
        {
            Assert.That(split.Validation!.shape[0], Is.EqualTo(15));
            Assert.That(split.Training.data<long>().Concat(split.Validation.data<long>()), Is.EquivalentTo(Enumerable.Range(0, 60)));
        });
    }

    [Test]
    public void Agreement_and_cross_entropy_with_the_teacher_are_those_computed_by_hand()
    {
        using var scope = NewDisposeScope();
        using var network = Runs.Student(NetworkSpec.Mlp(6), _set);
        var positions = tensor([3L, 10, 17, 58]);
        _teacher.Begin(_set, ModelOutputs.Logits, null);
        var (measure, agreement, loss) = new MulticlassTask(3).EvaluateAgainstTeacher(
            Scoring.Logits(network, _set, positions, 2), _teacher.Outputs(Batch.Gather(_set, positions), ModelOutputs.Logits).Logits, null);
        double[] student = [.. Scoring.Logits(network, _set, positions, 4).to(float64).data<double>()];
        var (alike, sum) = (0, 0.0);
        for (var row = 0; row < 4; row++)
        {
            double[] z = student[(3 * row)..(3 * (row + 1))];
            var (label, normaliser) = ((int)positions[row].item<long>() % 3, Math.Log(z.Sum(Math.Exp)));
            alike += Array.IndexOf(z, z.Max()) == label ? 1 : 0;
            sum -= Enumerable.Range(0, 3).Sum(c => Math.Exp(c == label ? 4 : 0) / (Math.Exp(4) + 2) * (z[c] - normaliser));
        }

        Assert.Multiple(() =>
        {
            Assert.That(measure, Is.EqualTo("agreement"));
            Assert.That(agreement, Is.EqualTo(alike / 4.0));
            Assert.That(loss, Is.EqualTo(sum / 4).Within(1e-5));
        });
    }

    private sealed class Undeclared : DistillationLoss
    {
        public override string Name => "undeclared";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override Tensor Evaluate(LossInputs inputs) => nn.functional.cross_entropy(inputs.Student.Logits, inputs.Labels);
    }
}
