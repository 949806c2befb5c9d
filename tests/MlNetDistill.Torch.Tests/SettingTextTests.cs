using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What settings print of themselves.</summary>
public sealed class SettingTextTests
{
    private static IEnumerable<TestCaseData> Lines()
    {
        yield return Case(DistillationMethod.Kd(temperature: 2, alpha: 0.5), "KD (Temperature 2, Alpha 0.5)");
        yield return Case(DistillationMethod.LabelsOnly(), "labels only (Loss crossEntropy)");
        yield return Case((0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(4)), "0.1 * crossEntropy + 0.9 * kd (Temperature 4)");
        yield return Case(new KdLoss(4).WithWarmup(5), "1 * kd (Temperature 4), warm-up 5 epochs");
        yield return Case(new StandardizedLogitsLoss(new KdLoss(2)), "kdStandardized (Loss kd (Temperature 2))");
        yield return Case(
            new CorrelationCongruenceLoss(CorrelationKernel.Gaussian(0.5)), "correlationCongruence (Kernel Gaussian (gamma 0.5), On Embedding, Normalize True)");
        yield return Case(LearningRateSchedule.Cosine(0.01), "Cosine (FinalFactor 0.01, WarmupEpochs 0)");
        yield return Case(Optimizer.AdamW(0.005), "AdamW (LearningRate 0.005, WeightDecay 0.01)");
        yield return Case(NetworkSpec.ResNet(8, InputShape.Image(1, 28, 28), 4, 8, 16) with { InputScaling = InputScaling.None },
            "ResNet-8 4/4/8/16, images 1×28×28, input scaling None");
        yield return Case(new OwnMethod(0.25), "own (Share 0.25)");
        yield return Case(new OwnLoss(0.75), "mine (Strength 0.75)");
    }

    [TestCaseSource(nameof(Lines))]
    public void Short_settings_are_a_line(object settings, string line) => Assert.That(settings.ToString(), Is.EqualTo(line));

    [Test]
    public void Settings_too_long_for_a_line_are_a_line_each() => Assert.That(LearningRateSchedule.OneCycle().ToString(), Is.EqualTo("""
        OneCycle
          RiseFraction  0.2
          StartDivisor  25
          FinalDivisor  10000
          LowMomentum   0.85
          HighMomentum  0.95
          WarmupEpochs  0
        """.ReplaceLineEndings()));

    [Test]
    public void A_long_value_is_broken_between_words_and_cut_after_three_lines()
    {
        var words = string.Join(' ', Enumerable.Repeat("words", 100));
        var lines = SettingText.FormatLines("", [("Name", words), ("Other", "short")]).Split(Environment.NewLine);

        Assert.Multiple(() =>
        {
            Assert.That(lines, Has.Length.EqualTo(4));
            Assert.That(lines[0], Does.StartWith("Name   words words").And.EndsWith("words"));
            Assert.That(lines[1], Does.StartWith("       words words"));
            Assert.That(lines[2], Does.EndWith("...").And.Length.EqualTo(100));
            Assert.That(lines[3], Is.EqualTo("Other  short"));
        });
    }

    [Test]
    public void A_per_cent_sign_stays_with_its_number() =>
        Assert.That(TextLines.Wrap("a share of 95.22 % and more", 16), Is.EqualTo(new[] { "a share of", "95.22 % and more" }));

    [Test]
    public void Similarities_of_classes_are_told_apart_by_a_hash()
    {
        double[,] first = { { 1, 0.5 }, { 0.5, 1 } }, second = { { 1, 0.25 }, { 0.25, 1 } };
        var (one, same, other) = (TeacherTargets.ClassSimilarity(first), TeacherTargets.ClassSimilarity((double[,])first.Clone()), TeacherTargets.ClassSimilarity(second));
        Assert.That($"{one}", Does.Match("^class similarity \\(temperature 0.3, matrix [0-9a-f]{16}\\)$"));
        Assert.That((one, $"{one}", one.GetHashCode()), Is.EqualTo((same, $"{same}", same.GetHashCode())));
        Assert.That(other, Is.Not.EqualTo(one));
        Assert.That($"{other}", Is.Not.EqualTo($"{one}"));
        Assert.That($"{DistillationMethod.PartialKd(one, 1, 0.5)}", Does.Contain($"{one}"));
        Assert.That(one.Name, Is.EqualTo("class similarity (temperature 0.3)"), "a name in tables is short");
    }

    [Test]
    public void A_sum_with_a_term_that_is_too_long_for_a_line_still_has_all_settings()
    {
        string Describe(float last) => SettingText.DescribeValue(
            new CrossEntropyLoss() + (0.5 * new MarginFeatureLoss([(0, 0)], [[.. Enumerable.Repeat(-0.125f, 99), last]])), typeof(DistillationLoss));
        Assert.That(Describe(-0.25f), Does.Contain("crossEntropy").And.Contain("Weight 0.5").And.Contain("-0.125, -0.25"));
        Assert.That(Describe(-0.25f), Is.Not.EqualTo(Describe(-0.5f)));
    }

    private static TestCaseData Case(object settings, string line) => new TestCaseData(settings, line).SetArgDisplayNames(line);

    /// <summary>A method of a user's own: what else it holds is its own affair.</summary>
    private sealed record OwnMethod(double Share) : DistillationMethod
    {
        public OwnMethod? Itself { get; init; }

        public override string Name => "own";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override IEnumerable<TrainingPhase> Phases(MethodContext context) => [];
    }

    private sealed class OwnLoss(double strength) : DistillationLoss
    {
        public double Strength { get; } = strength;

        public DistillationLoss Itself => this;

        public override string Name => "mine";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => throw new NotSupportedException();
    }
}
