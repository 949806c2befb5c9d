using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class StandardizedLogitsLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void Standardised_rows_have_mean_zero_and_unbiased_deviation_one()
    {
        var rows = Near.Values(StandardizedLogitsLoss.Standardize(LossProbe.Logits(3, 6, 1))).Chunk(6).ToArray();
        foreach (var row in rows)
        {
            Assert.That(row.Sum(), Is.Zero.Within(1e-14));
            Assert.That(row.Sum(z => z * z) / 5, Is.EqualTo(1).Within(1e-6));
        }
    }

    [Test]
    public void The_scale_and_the_level_of_a_networks_logits_do_not_matter()
    {
        var (student, teacher) = (LossProbe.Logits(4, 6, 2), LossProbe.Logits(4, 6, 3));
        Near.Value(Kd(student.mul(7).add(5), teacher.mul(0.2).sub(3)).Value, Kd(student, teacher).Value, 1e-5, 0, "scaled");
    }

    [TestCase(ScalarType.Float32, 0)]
    [TestCase(ScalarType.Float32, -2.3025851)]
    [TestCase(ScalarType.Float32, 80.1)]
    [TestCase(ScalarType.Float64, 80.1)]
    public void A_constant_row_says_nothing_and_gets_no_gradient(ScalarType type, double level)
    {
        var (student, teacher) = (LossProbe.Logits(3, 7, 4, type: type), LossProbe.Logits(3, 7, 5, type: type));
        student[1] = full(7, level, type);
        Assert.That(Near.Values(StandardizedLogitsLoss.Standardize(student)[1]), Is.All.Zero);
        var gradient = Kd(student, teacher).Gradient.Chunk(7).ToArray();
        Assert.That(gradient[1], Is.All.Zero);
        Assert.That(gradient[0], Has.All.Matches<double>(g => g != 0 && Math.Abs(g) < 1));
    }

    [Test]
    public void Two_classes_leave_no_gradient_and_the_loss_says_so()
    {
        var gradient = Kd(LossProbe.Logits(6, 2, 6), LossProbe.Logits(6, 2, 7)).Gradient;
        Assert.That(gradient, Is.All.EqualTo(0).Within(1e-6));
        var loss = new StandardizedLogitsLoss(new KdLoss(2));
        Assert.That(loss.Warnings(2).Single(), Does.StartWith("With two classes standardised logits are always 0.707 and -0.707"));
        Assert.That(loss.Warnings(3), Is.Empty);
    }

    [Test]
    public void It_is_what_the_loss_inside_is()
    {
        var dkd = new StandardizedLogitsLoss(new DkdLoss(2));
        Assert.That((dkd.Name, dkd.NeedsHardLabels, dkd.CanUseWeights), Is.EqualTo(("dkdStandardized", true, true)));
        var dist = new StandardizedLogitsLoss(new DistLoss(2));
        Assert.That((dist.Name, dist.NeedsHardLabels, dist.CanUseWeights), Is.EqualTo(("distStandardized", false, false)));
    }

    [Test]
    public void It_composes_like_any_other_loss()
    {
        var loss = (0.1 * new CrossEntropyLoss()) + (9 * new StandardizedLogitsLoss(new KdLoss(2)).WithWarmup(10));
        Assert.That(
            loss.Terms.Select(t => (t.Loss.Name, t.Weight, t.WarmupEpochs)), Is.EqualTo(new[] { ("crossEntropy", 0.1, 0), ("kdStandardized", 9.0, 10) }));
    }

    [Test]
    public void Sums_and_losses_on_other_outputs_cannot_be_standardised() => Assert.Multiple(() =>
    {
        Assert.That(
            () => new StandardizedLogitsLoss(new KdLoss(2) + new KdLoss(4)), Throws.ArgumentException.With.Message.Contains("Standardise each term by itself"));
        Assert.That(() => new StandardizedLogitsLoss(9 * new KdLoss(2)), Throws.ArgumentException.With.Message.Contains("Standardise each term by itself"));
        Assert.That(
            () => new StandardizedLogitsLoss(new CrossEntropyLoss()),
            Throws.ArgumentException.With.Message.StartsWith("The loss 'crossEntropy' does not compare the logits"));
        Assert.That(() => new StandardizedLogitsLoss(new RkdLoss()), Throws.ArgumentException.With.Message.StartsWith("The loss 'rkd' does not compare"));
    });

    [Test]
    public void Nothing_and_anything_but_rows_of_logits_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new StandardizedLogitsLoss(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("loss"));
        Assert.That(() => StandardizedLogitsLoss.Standardize(zeros(3)), Throws.ArgumentException.With.Message.StartsWith("The shape must be rows×classes; it is 3."));
        Assert.That(() => StandardizedLogitsLoss.Standardize(zeros(2, 3, 4)), Throws.ArgumentException.With.Message.StartsWith("The shape must be rows×classes; it is 2×3×4."));
    });

    [Test]
    public void The_loss_inside_gets_all_that_the_step_has_beside_the_logits()
    {
        var inside = new Capturing();
        var loss = new StandardizedLogitsLoss(inside);
        var (shares, weights, labels) = (full(2, 3, 1.0 / 3), ones(2), LossProbe.Labels(-100, -100));
        using var projection = nn.Identity();
        _ = loss.Evaluate(new LossInputs(NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 1)), NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 2)), labels, weights, true)
        {
            SoftLabels = shares,
            HasNoLabels = true,
            Projections = new Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>> { [loss] = [projection] },
        });
        var given = inside.Inputs!;
        Assert.That((given.SoftLabels, given.Weights, given.HasMissingLabels, given.HasNoLabels), Is.EqualTo((shares, weights, true, true)));
        Assert.That(() => given.Labels, Throws.InvalidOperationException.With.Message.Contains("no training row has a label"));
        Assert.That(given.ProjectionsFor(inside).Single(), Is.SameAs(projection));
    }

    private static (double Value, double[] Gradient) Kd(Tensor student, Tensor teacher) =>
        LossProbe.Evaluate(new StandardizedLogitsLoss(new KdLoss(2)), student, teacher, zeros(student.shape[0], int64));

    private sealed class Capturing : DistillationLoss
    {
        public override string Name => "capturing";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public LossInputs? Inputs { get; private set; }

        public override Tensor Evaluate(LossInputs inputs)
        {
            Inputs = inputs;
            return inputs.Student.Logits.mean();
        }
    }
}
