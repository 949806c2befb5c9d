using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What losses on logits refuse, how they are named, and what they say of themselves.</summary>
public sealed class ArgumentsOfALogitLossTests
{
    private static readonly Dictionary<string, Func<Tensor, Tensor, Tensor>> Functions = new()
    {
        ["logitMatching"] = (student, teacher) => LogitMatchingLoss.Compute(student, teacher),
        ["ttm"] = (student, teacher) => TtmLoss.Compute(student, teacher),
        ["wttm"] = (student, teacher) => WttmLoss.Compute(student, teacher),
        ["nkd"] = (student, teacher) => NkdLoss.Compute(student, teacher, LossProbe.Labels(0, 1)),
        ["rld"] = (student, teacher) => RldLoss.Compute(student, teacher, LossProbe.Labels(0, 1)),
    };

    private IDisposable _scope = null!;

    public static IEnumerable<string> Names => Functions.Keys;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [TestCaseSource(nameof(Names))]
    public void Logits_of_other_shapes_are_refused_though_they_could_be_broadcast(string name) => Assert.Multiple(() =>
    {
        Assert.That(() => Functions[name](zeros(2, 3), zeros(2, 1)), Throws.ArgumentException.With.Message.StartsWith("The student's values have the shape 2×3, the teacher's 2×1."));
        Assert.That(() => Functions[name](zeros(2, 3), zeros(1, 3)), Throws.ArgumentException.With.Message.Contains("the teacher's 1×3"));
        Assert.That(() => Functions[name](zeros(2, 3, 4), zeros(2, 3, 4)), Throws.ArgumentException.With.Message.StartsWith("The shape must be rows×classes; it is 2×3×4."));
    });

    [Test]
    public void A_label_that_is_no_class_is_refused() => Assert.Multiple(() =>
    {
        foreach (var compute in new Func<Tensor, Tensor>[] { labels => NkdLoss.Compute(zeros(2, 3), zeros(2, 3), labels), labels => RldLoss.Compute(zeros(2, 3), zeros(2, 3), labels) })
        {
            Assert.That(() => compute(LossProbe.Labels(0, 7)), Throws.ArgumentException.With.Message.Contains("a class from 0 to 2").And.Message.Contains("one is 7"));
            Assert.That(() => compute(LossProbe.Labels(0)), Throws.ArgumentException.With.Message.StartsWith("The labels must be 2 64-bit class indices"));
        }
    });

    [Test]
    public void The_pure_functions_of_NKD_and_RLD_are_means_over_the_labelled_rows()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 1), LossProbe.Logits(3, 4, 2));
        foreach (var compute in new Func<Tensor, Tensor, Tensor, Tensor>[] { (s, t, labels) => NkdLoss.Compute(s, t, labels), (s, t, labels) => RldLoss.Compute(s, t, labels) })
        {
            var labelled = tensor(new long[] { 0, 2 });
            Near.Value(
                compute(student, teacher, LossProbe.Labels(1, -100, 3)).item<double>(),
                compute(student.index_select(0, labelled), teacher.index_select(0, labelled), LossProbe.Labels(1, 3)).item<double>(), 1e-12, 0, "loss");
        }
    }

    [TestCase(0)]
    [TestCase(-0.5)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void An_exponent_out_of_range_is_refused_by_the_pure_functions(double exponent)
    {
        foreach (var compute in new Func<Tensor>[]
        {
            () => TtmLoss.Compute(zeros(2, 3), zeros(2, 3), exponent), () => WttmLoss.Compute(zeros(2, 3), zeros(2, 3), exponent), () => WttmLoss.RowWeights(zeros(2, 3), exponent),
        })
        {
            Assert.That(() => compute(), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The exponent must be above 0."));
        }
    }

    [Test]
    public void Row_weights_of_anything_but_logits_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => WttmLoss.RowWeights(zeros(3)), Throws.ArgumentException.With.Message.StartsWith("The shape must be rows×classes; it is 3."));
        Assert.That(() => WttmLoss.RowWeights(zeros(2, 3, 4)), Throws.ArgumentException.With.Message.StartsWith("The shape must be rows×classes; it is 2×3×4."));
    });

    [Test]
    public void RLD_weighs_the_classes_below_the_label_by_beta_and_the_squared_temperature()
    {
        var (student, teacher) = (tensor(new[,] { { 0.5, 1, 3, -1 } }), tensor(new[,] { { 5.0, 2, 1, 0 } }));
        // Below the label 1 are the classes 2 and 3, at the temperature 2: sigmoids of half the differences of their logits.
        static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
        var (p, q) = (Sigmoid((1 - 0) / 2.0), Sigmoid((3 + 1) / 2.0));
        var divergence = (p * Math.Log(p / q)) + ((1 - p) * Math.Log((1 - p) / (1 - q)));
        Near.Value(RldLoss.Compute(student, teacher, LossProbe.Labels(1), 0, 3, 2).item<double>(), 3 * 4 * divergence, 1e-12, 0, "loss");
    }

    [Test]
    public void Logit_matching_reaches_a_teacher_that_is_trained_too()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 3), LossProbe.Logits(3, 4, 4).requires_grad_(true));
        var loss = new LogitMatchingLoss();
        Assert.That(loss.ReachesTeacher, Is.True);
        var value = loss.EvaluateTowardsTeacher(LossProbe.Inputs(student, teacher), teacher);
        value.backward();
        Near.Value(value.item<double>(), student.sub(teacher).square().mean().item<double>(), 1e-12, 0, "loss");
        Near.Array(Near.Values(teacher.grad!), Near.Values(teacher.sub(student).mul(2.0 / 12)), 1e-12, 0, "gradient");
    }

    [Test]
    public void Losses_report_under_their_names() => Assert.That(
        new DistillationLoss[]
        {
            new LogitMatchingLoss(), new MarginFeatureLoss([(0, 0)]), new MimicLoss(), new NkdLoss(), new RldLoss(), new SimKdLoss(), new StageFeatureLoss(0, 0), new TtmLoss(), new WttmLoss(),
        }.Select(loss => loss.Name),
        Is.EqualTo(new[] { "logitMatching", "marginFeature", "mimic", "nkd", "rld", "simKd", "stageFeature", "ttm", "wttm" }));

    [Test]
    public void NKD_and_RLD_are_left_out_where_no_row_has_a_label_and_the_others_are_not()
    {
        foreach (var loss in new DistillationLoss[] { new NkdLoss(), new RldLoss() })
            Assert.That((loss.NeedsLabels, loss.NeedsHardLabels, loss.ReadsOnlyProbabilities), Is.EqualTo((true, true, true)), loss.Name);
        foreach (var loss in new DistillationLoss[] { new TtmLoss(), new WttmLoss(), new LogitMatchingLoss() })
            Assert.That((loss.NeedsLabels, loss.NeedsHardLabels, loss.TeacherNeeds), Is.EqualTo((false, false, ModelOutputs.Logits)), loss.Name);
    }
}
