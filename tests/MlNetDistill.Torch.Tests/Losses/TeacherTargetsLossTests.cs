using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A loss on targets: what the loss inside is given, and which targets and rows are refused or left out.</summary>
public sealed class TeacherTargetsLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void Nothing_given_and_tensors_of_another_form_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new KdLoss(1).WithTargets(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("targets"));
        Assert.That(() => TeacherTargets.ClassSimilarity((Network)null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("teacher"));
        Assert.That(() => TeacherTargets.ClassSimilarity((double[,])null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("similarities"));
        Assert.That(() => TeacherTargets.CosineSimilarities(zeros(3)), Throws.ArgumentException.With.Message.StartsWith("The shape must be classes×features; it is 3."));
        Assert.That(() => TeacherTargets.CosineSimilarities(zeros(2, 3, 4)), Throws.ArgumentException.With.Message.StartsWith("The shape must be classes×features; it is 2×3×4."));
        Assert.That(() => TeacherTargets.Full().LogProbabilities(zeros(3), LossProbe.Labels(0)), Throws.ArgumentException.With.Message.StartsWith("The shape must be rows×classes; it is 3."));
        Assert.That(() => TeacherTargets.Smoothed(0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The share must be above 0 and below 1. It was 0."));
    });

    [Test]
    public void A_network_that_ends_in_its_logits_has_no_last_layer_to_compare_classes_by()
    {
        using var network = EmbeddingSpec.Of(NetworkSpec.Mlp(6), 4).Build(new NetworkInput(InputShape.Vector(3)), 4, 1);
        Assert.That(() => TeacherTargets.ClassSimilarity(network), Throws.ArgumentException.With.Message.StartsWith("The network's body ends in the logits").And.Message.Contains("as a matrix"));
    }

    [Test]
    public void Targets_are_named_by_what_they_keep() => Assert.That(
        new[] { TeacherTargets.Full(), TeacherTargets.TrueClass(), TeacherTargets.TopK(3), TeacherTargets.Smoothed(0.25) }.Select(targets => (targets.Name, $"{targets}")),
        Is.EqualTo(new[] { ("full", "full"), ("true class", "true class"), ("top 3", "top 3"), ("smoothed 0.25", "smoothed 0.25") }));

    [Test]
    public void The_true_class_of_one_class_has_no_others() => Assert.That(
        () => TeacherTargets.TrueClass().LogProbabilities(zeros(2, 1), LossProbe.Labels(0, 0)),
        Throws.InvalidOperationException.With.Message.StartsWith("A target of the true class needs at least two classes"));

    [TestCase(4)]
    [TestCase(5)]
    public void As_many_top_classes_as_there_are_keep_all(int count)
    {
        var teacher = LossProbe.Logits(3, 4, 1).LogSoftmax(1);
        Assert.That(Near.Values(TeacherTargets.TopK(count).LogProbabilities(teacher, LossProbe.Labels(0, 1, 2))), Is.EqualTo(Near.Values(teacher)));
    }

    [Test]
    public void A_batch_without_a_label_is_0_with_a_gradient_of_zeros_whatever_the_loss_inside_does_with_no_rows()
    {
        foreach (var loss in new DistillationLoss[] { new KdLoss(2), new TtmLoss(), new WttmLoss(), new NkdLoss() })
        {
            var (value, gradient) = LossProbe.Evaluate(
                loss.WithTargets(TeacherTargets.TrueClass()), LossProbe.Logits(2, 3, 2), LossProbe.Logits(2, 3, 3), LossProbe.Labels(-100, -100), null, mayMissLabels: true);
            Assert.That(value, Is.Zero, loss.Name);
            Assert.That(gradient, Is.All.Zero, loss.Name);
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Where_rows_may_be_left_out_no_gradient_is_stated(bool checkedLabels)
    {
        LossInputs Inputs(bool mayMiss) => new(
            NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 4)), NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 5)), LossProbe.Labels(0, mayMiss ? -100 : 1), hasMissingLabels: mayMiss)
        {
            LabelsAreChecked = checkedLabels,
        };
        Assert.That(new KdLoss(2).WithTargets(TeacherTargets.TrueClass()).EvaluateWithGradient(Inputs(true), 1), Is.Null);
        Assert.That(new KdLoss(2).WithTargets(TeacherTargets.TrueClass()).EvaluateWithGradient(Inputs(false), 1), Is.Not.Null);
        Assert.That(new KdLoss(2).WithTargets(TeacherTargets.TopK(2)).EvaluateWithGradient(Inputs(true), 1), Is.Not.Null, "these targets read no label");
    }

    [Test]
    public void Labels_are_checked_unless_they_were_before()
    {
        Tensor Evaluate(bool checkedBefore) => new KdLoss(2).WithTargets(TeacherTargets.Smoothed()).Evaluate(
            new LossInputs(NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 6)), null, LossProbe.Labels(0, 9)) { LabelsAreChecked = checkedBefore });
        Assert.That(() => Evaluate(false), Throws.ArgumentException.With.Message.Contains("one is 9"));
        Assert.That(() => Evaluate(true), Throws.Nothing);
    }

    [Test]
    public void The_loss_inside_gets_the_rows_that_have_a_label_and_all_that_belongs_to_them()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 7), LossProbe.Logits(3, 4, 8));
        var (weights, shares) = (tensor(new[] { 1.0, 5, 3 }), LossProbe.Logits(3, 4, 9).softmax(1));
        var inside = new Capturing();
        LossInputs Given(TeacherTargets targets, bool mayMiss)
        {
            var labels = LossProbe.Labels(2, mayMiss ? -100 : 0, 1);
            _ = inside.WithTargets(targets).Evaluate(
                new LossInputs(NetworkOutput.FromLogits(student), NetworkOutput.FromLogits(teacher), labels, weights, mayMiss) { SoftLabels = shares });
            return inside.Inputs!;
        }

        var all = Given(TeacherTargets.TrueClass(), mayMiss: false);
        Assert.That(all.HasMissingLabels, Is.False);
        Assert.That((Near.Values(all.Student.Logits), Near.Values(all.Weights!)), Is.EqualTo((Near.Values(student), Near.Values(weights))));

        var labelled = Given(TeacherTargets.TrueClass(), mayMiss: true);
        Assert.That(labelled.HasMissingLabels, Is.False, "none of the rows that are left");
        var kept = tensor(new long[] { 0, 2 });
        Assert.That(Near.Values(labelled.Student.Logits), Is.EqualTo(Near.Values(student.index_select(0, kept))));
        Assert.That(Near.Values(labelled.Weights!), Is.EqualTo(new double[] { 1, 3 }));
        Assert.That(Near.Values(labelled.SoftLabels!), Is.EqualTo(Near.Values(shares.index_select(0, kept))));
        Assert.That(Near.Values(labelled.Labels.to(float64)), Is.EqualTo(new double[] { 2, 1 }));
        Assert.That(labelled.TeacherLogProbabilities(1).shape, Is.EqualTo(new long[] { 2, 4 }));

        var unread = Given(TeacherTargets.TopK(2), mayMiss: true);
        Assert.That(unread.HasMissingLabels, Is.True, "targets that read no label leave no row out");
        Assert.That(unread.TeacherLogProbabilities(1).shape, Is.EqualTo(new long[] { 3, 4 }));
    }

    private sealed class Capturing : DistillationLoss
    {
        public override string Name => "capturing";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override bool ReadsOnlyProbabilities => true;

        public LossInputs? Inputs { get; private set; }

        public override Tensor Evaluate(LossInputs inputs)
        {
            Inputs = inputs;
            return inputs.Student.Logits.mean();
        }
    }
}
