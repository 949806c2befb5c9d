using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

/// <summary>The stages of the methods on logits, and what they refuse.</summary>
public sealed class LogitMethodTests
{
    public static IEnumerable<TestCaseData> Plans()
    {
        yield return new(DistillationMethod.Nkd(), "1 * crossEntropy + 1 * nkd (Gamma 1.5, Temperature 1)");
        yield return new(DistillationMethod.Nkd(3.5, 3, 0.5), "0.5 * crossEntropy + 1 * nkd (Gamma 3.5, Temperature 3)");
        yield return new(DistillationMethod.Ttm(), "1 * crossEntropy + 45 * ttm (Exponent 0.1)");
        yield return new(DistillationMethod.Wttm(), "1 * crossEntropy + 4 * wttm (Exponent 0.2)");
        yield return new(DistillationMethod.Rld(), "1 * crossEntropy + 1 * rld (Alpha 1, Beta 8, Temperature 4), warm-up 2 epochs");
        yield return new(DistillationMethod.Rld(2, 0.5, 1, warmupEpochs: 0), "1 * crossEntropy + 1 * rld (Alpha 2, Beta 0.5, Temperature 1)");
        yield return new(DistillationMethod.LogitMatching(), "1 * crossEntropy + 1 * logitMatching (Reduction Mean, Centered True)");
        yield return new(
            DistillationMethod.PartialKd(TeacherTargets.TopK(3), 2, 0.75), "0.25 * crossEntropy + 0.75 * kdTargets (Loss kd (Temperature 2), Targets top 3)");
        yield return new(
            DistillationMethod.PartialKd(TeacherTargets.TrueClass(), alpha: 0.5), "0.5 * crossEntropy + 0.5 * kdTargets (Loss kd (Temperature 4), Targets true class)");
    }

    [TestCaseSource(nameof(Plans))]
    public void A_method_is_one_stage_of_its_loss(DistillationMethod method, string loss)
    {
        var context = new MethodContext([], new OutputShapes(10), new ShuffledSampler(4), 13, Optimizer.AdamW(), LearningRateSchedule.Constant());
        var stage = method.Stages(context).Single();
        Assert.That(stage.Loss.ToString(), Is.EqualTo(loss));
        Assert.That(method.Validate(), Is.Empty);
        Assert.That((method.TeacherNeeds, method.NeedsHardLabels, method.CanUseWeights), Is.EqualTo((stage.Loss.TeacherNeeds, stage.Loss.NeedsHardLabels, stage.Loss.CanUseWeights)));
    }

    [Test]
    public void Every_fault_of_the_settings_is_named()
    {
        string[] Faults(DistillationMethod method) => [.. method.Validate()];
        Assert.Multiple(() =>
        {
            Assert.That(Faults(DistillationMethod.Nkd(-1, 0, -2)), Is.EqualTo(new[] { "NKD's gamma must be at least 0; was -1.", "NKD's temperature must be above 0; was 0.", "NKD's labelWeight must be at least 0; was -2." }));
            Assert.That(Faults(DistillationMethod.Ttm(0, -1)), Is.EqualTo(new[] { "TTM's exponent must be above 0; was 0.", "TTM's weight must be at least 0; was -1." }));
            Assert.That(Faults(DistillationMethod.Wttm(-1)), Is.EqualTo(new[] { "WTTM's exponent must be above 0; was -1." }));
            Assert.That(Faults(DistillationMethod.Rld(0, 0, 0, warmupEpochs: -1)), Is.EqualTo(new[] { "RLD's temperature must be above 0; was 0.", "RLD's warmupEpochs must be at least 0; was -1.", "RLD's alpha and beta must not both be 0: nothing would be learnt from the teacher." }));
            Assert.That(Faults(DistillationMethod.LogitMatching(-1, reduction: (LogitReduction)9)), Is.EqualTo(new[] { "Logit matching's weight must be at least 0; was -1.", "Logit matching's reduction must be Mean or HalfSumPerRow; was 9." }));
            Assert.That(Faults(DistillationMethod.PartialKd(TeacherTargets.Full(), 0, 2)), Is.EqualTo(new[] { "KD's temperature must be above 0; was 0.", "KD's alpha must be in [0, 1]; was 2." }));
        });
    }
}
