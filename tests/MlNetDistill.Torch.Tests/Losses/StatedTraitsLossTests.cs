using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What losses say of themselves: names, needs, warnings, and what a direct call makes of missing labels.</summary>
public sealed class StatedTraitsLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void Every_loss_and_kernel_has_the_name_that_reports_and_settings_show() => Assert.Multiple(() =>
    {
        foreach (var (loss, name) in new (DistillationLoss, string)[]
        {
            (new AdjacentPairsLoss(), "adjacentPairs"), (new ArcFaceLoss(3), "arcFace"), (new AttentionTransferLoss((0, 0)), "attentionTransfer"),
            (new CorrelationCongruenceLoss(), "correlationCongruence"), (new CosFaceLoss(3), "cosFace"), (new CosineLoss(), "cosine"), (new CrossEntropyLoss(), "crossEntropy"),
            (new DistLoss(1), "dist"), (new DkdLoss(1), "dkd"), (new GraphKdLoss(), "graphKd"), (new HintLoss((0, 0)), "hint"), (new KdLoss(1), "kd"),
            (new LipschitzLoss([(0, 0), (1, 1)]), "lipschitz"), (2 * new KdLoss(1), "total"),
        })
        {
            Assert.That(loss.Name, Is.EqualTo(name));
        }

        Assert.That($"{CorrelationKernel.Mmd}, {CorrelationKernel.Bilinear}", Is.EqualTo("MMD, bilinear"));
    });

    [Test]
    public void A_sum_can_what_all_of_its_terms_can_and_needs_hard_labels_if_one_does() => Assert.Multiple(() =>
    {
        var (labels, pairs, hard) = (new CrossEntropyLoss(), new DistLoss(1), new DkdLoss(1));
        Assert.That(new[] { labels + labels, labels + pairs, pairs + labels, pairs + pairs }.Select(sum => sum.CanUseWeights), Is.EqualTo(new[] { true, false, false, false }));
        Assert.That(new[] { labels + labels, labels + hard, hard + labels, hard + hard }.Select(sum => sum.NeedsHardLabels), Is.EqualTo(new[] { false, true, true, true }));
        Assert.That(new[] { labels + labels, labels + pairs, pairs + labels, pairs + pairs }.Select(sum => sum.NeedsLabels), Is.EqualTo(new[] { true, false, false, false }));
        Assert.That((new KdLoss(1) + new HintLoss((0, 0))).StudentNeeds, Is.EqualTo(ModelOutputs.Logits | ModelOutputs.StageFeatures));
        Assert.That((new CosineLoss() + new HintLoss((0, 0))).TeacherNeeds, Is.EqualTo(ModelOutputs.Embedding | ModelOutputs.StageFeatures));
    });

    [Test]
    public void A_loss_of_labelled_classes_needs_labels_and_one_of_the_teacher_does_not() => Assert.Multiple(() =>
    {
        Assert.That(new DkdLoss(1).NeedsLabels, Is.True);
        Assert.That(new KdLoss(1).NeedsLabels, Is.False);
        Assert.That(new[] { GraphEdges.All, GraphEdges.SameClass, GraphEdges.DifferentClass }.Select(edges => new GraphKdLoss(edges: edges).NeedsLabels), Is.EqualTo(new[] { false, true, true }));
    });

    [Test]
    public void A_graph_of_all_edges_reads_no_label()
    {
        var (student, teacher) = (LossProbe.Logits(4, 3, 1).abs(), LossProbe.Logits(4, 3, 2).abs());
        var inputs = new LossInputs(new NetworkOutput(embedding: student), new NetworkOutput(embedding: teacher), LossProbe.CyclicLabels(4, 2)) { HasNoLabels = true };
        Assert.That(new GraphKdLoss().Evaluate(inputs).item<double>(), Is.EqualTo(GraphKdLoss.Compute(student, teacher).item<double>()));
        Assert.That(() => new GraphKdLoss(edges: GraphEdges.SameClass).Evaluate(inputs), Throws.InvalidOperationException.With.Message.Contains("no training row has a label"));
    }

    [Test]
    public void With_two_classes_the_inter_class_relation_alone_teaches_nothing() => Assert.Multiple(() =>
    {
        Assert.That(new DistLoss(1, 1, 0).Warnings(2).Single(), Does.EndWith("the student learns nothing from it."));
        Assert.That(new DistLoss(1, 1, 1).Warnings(2).Single(), Does.EndWith("the student learns only from the intra-class relation."));
        Assert.That(new DistLoss(1, 0, 1).Warnings(2), Is.Empty);
    });

    [Test]
    public void One_relation_alone_is_weighed_as_in_the_sum()
    {
        // With two classes the probabilities of -z are those of z exchanged, so every correlation is -1 and both relations are 2.
        var student = LossProbe.Logits(6, 2, 1);
        foreach (var (inter, intra) in new[] { (0.5, 0.0), (0, 0.25), (0.5, 0.25) })
        {
            Near.Value(DistLoss.Compute(student, student.neg(), 3, inter, intra).item<double>(), 9 * 2 * (inter + intra), 1e-6, 0, $"{inter}, {intra}");
        }
    }

    [Test]
    public void Rows_that_vary_by_less_than_a_ten_thousandth_teach_nothing_by_either_way()
    {
        // Of nearly equal probabilities, the standard deviation over the mean is that of the logits: 0.45 and 4.5 ten-thousandths.
        var (constant, varying) = (tensor(new[,] { { 5e-5, -5e-5, 5e-5, -5e-5, 0 } }), tensor(new[,] { { 5e-4, -5e-4, 5e-4, -5e-4, 0 } }));
        var student = cat([constant, varying, LossProbe.Logits(2, 5, 1)]);
        var loss = new DistLoss(1, 1, 0);
        var recorded = LossProbe.Evaluate(loss, student, LossProbe.Logits(4, 5, 2), zeros(4, int64)).Gradient.Chunk(5).ToArray();
        var stated = Near.Values(loss.EvaluateWithGradient(LossProbe.Inputs(student, LossProbe.Logits(4, 5, 2)), 1)!.Value.Gradient).Chunk(5).ToArray();
        foreach (var gradient in new[] { recorded, stated })
        {
            Assert.That(gradient[0], Is.All.Zero);
            Assert.That(gradient[1], Has.All.Not.Zero);
        }
    }

    public static IEnumerable<TestCaseData> OfLabels() => new (string, Func<Tensor, Tensor, Tensor, Tensor>)[]
    {
        ("cross-entropy", (student, _, labels) => CrossEntropyLoss.Compute(student, labels)),
        ("DKD", (student, teacher, labels) => DkdLoss.Compute(student, teacher, labels, 2)),
        ("ArcFace", (student, _, labels) => ArcFaceLoss.Compute(student, eye(4, 4, float64), labels)),
        ("CosFace", (student, _, labels) => CosFaceLoss.Compute(student, eye(4, 4, float64), labels)),
    }
    .Select(loss => new TestCaseData(loss.Item2).SetArgDisplayNames(loss.Item1));

    [TestCaseSource(nameof(OfLabels))]
    public void A_direct_call_is_the_mean_over_the_labelled_rows(Func<Tensor, Tensor, Tensor, Tensor> compute)
    {
        var (student, teacher, kept) = (LossProbe.Logits(4, 4, 1), LossProbe.Logits(4, 4, 2), tensor(new long[] { 0, 2 }));
        Near.Value(
            compute(student, teacher, LossProbe.Labels(3, -100, 1, -100)).item<double>(),
            compute(student.index_select(0, kept), teacher.index_select(0, kept), LossProbe.Labels(3, 1)).item<double>(), 1e-12, 0, "labelled rows");
        Assert.That(compute(student, teacher, LossProbe.Labels(-100, -100, -100, -100)).item<double>(), Is.Zero, "no label");
    }

    [Test]
    public void Cross_entropy_of_mixed_or_weighed_labels_is_left_to_the_graph()
    {
        var (student, labels) = (NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 1)), LossProbe.Labels(0, 1));
        Assert.That(new CrossEntropyLoss().EvaluateWithGradient(new LossInputs(student, null, labels, ones(2)), 1), Is.Null, "weights");
        Assert.That(new CrossEntropyLoss().EvaluateWithGradient(new LossInputs(student, null, labels) { SoftLabels = ones(2, 3).div(3) }, 1), Is.Null, "mixed labels");
        Assert.That(new CrossEntropyLoss().EvaluateWithGradient(new LossInputs(student, null, labels), 1), Is.Not.Null);
    }

    [Test]
    public void The_value_of_an_untrained_student_is_that_of_even_probabilities()
    {
        var (even, certain) = (zeros(2, 10, float64), eye(10, 10, float64).narrow(0, 0, 2).mul(1e4));
        Near.Value(new KdLoss(4).UntrainedValue(10)!.Value, KdLoss.Compute(even, certain, 4).item<double>(), 1e-12, 0, "kd");
        Near.Value(new CrossEntropyLoss().UntrainedValue(10)!.Value, CrossEntropyLoss.Compute(even, LossProbe.Labels(3, 4)).item<double>(), 1e-12, 0, "cross-entropy");
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Towards_the_teacher_KD_has_the_same_value(bool weighted)
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 1), LossProbe.Logits(3, 4, 2));
        var inputs = LossProbe.Inputs(student, teacher, weighted ? tensor(new[] { 1.0, 3, 0 }) : null);
        Near.Value(new KdLoss(3).EvaluateTowardsTeacher(inputs, teacher).item<double>(), new KdLoss(3).Evaluate(inputs).item<double>(), 1e-12, 0, "value");
        Assert.That(new KdLoss(3).ReachesTeacher, Is.True);
        Assert.That((new DistLoss(1).ReachesTeacher, new DistLoss(1).EvaluateTowardsTeacher(inputs, teacher)), Is.EqualTo((false, (Tensor?)null)));
    }

    [TestCase(1, 0.5)]
    [TestCase(4, 0.25)]
    public void The_rescaling_of_one_row_is_that_of_a_batch(double temperature, double alpha)
    {
        var (student, targets, labels) = (LossProbe.Logits(4, 5, 1), LossProbe.Logits(4, 5, 2).LogSoftmax(temperature), LossProbe.CyclicLabels(4, 5));
        var (soft, hard) = (student.LogSoftmax(temperature).exp(), student.LogSoftmax(1).exp());
        var expected = Near.Values(GradientRescaling.Compute(student, targets, labels, temperature, alpha));
        for (var row = 0; row < 4; row++)
        {
            var (target, softened, others) = (targets[row, row].exp().item<double>(), soft[row, row].item<double>(), 1 - hard[row, row].item<double>());
            Near.Value(GradientRescaling.Compute(target, softened, others, temperature, alpha)!.Value, expected[row], 1e-9, 0, $"row {row}");
        }

        Assert.That(GradientRescaling.Compute(0.5, 0.9, 0.99e-6, temperature, alpha), Is.Null, "the student is sure of the label");
        Assert.That(GradientRescaling.Compute(0.5, 0.9, GradientRescaling.LeastGradient, temperature, alpha), Is.Negative);
    }
}
