using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

public sealed class DistillationMethodTests
{
    private static readonly MethodContext Context =
        new([], new OutputShapes(3, 8, []), new ShuffledSampler(8), 12, Optimizer.Sgd(0.05), LearningRateSchedule.Cosine());

    [Test]
    public void KD_is_one_stage_of_cross_entropy_and_divergence()
    {
        var stage = DistillationMethod.Kd(temperature: 3, alpha: 0.75).Stages(Context).Single();
        Assert.That(stage.Loss.Terms.Select(t => (t.Loss.Name, t.Weight)), Is.EqualTo(new[] { ("crossEntropy", 0.25), ("kd", 0.75) }));
        Assert.That(((KdLoss)stage.Loss.Terms[1].Loss).Temperature, Is.EqualTo(3));
        Assert.That((stage.Epochs, stage.Optimizer, stage.Schedule), Is.EqualTo((12, Context.Optimizer, Context.Schedule)));
    }

    [Test]
    public void KD_defaults_to_the_settings_of_the_CIFAR_scripts_for_images() =>
        Assert.That(TermsOf(Context), Is.EqualTo((1 - 0.9, 0.9, 4)));

    [Test]
    public void KD_for_vectors_does_not_soften_and_gives_the_labels_half() =>
        Assert.That(TermsOf(Context with { Defaults = KdDefaults.ForVectors }), Is.EqualTo((1 - 0.5, 0.5, 1)));

    [Test]
    public void KD_shows_that_the_teacher_decides_what_was_not_given()
    {
        Assert.That($"{DistillationMethod.Kd()}", Is.EqualTo("KD (Temperature by the teacher, Alpha by the teacher)"));
        Assert.That($"{DistillationMethod.Kd(alpha: 0.25)}", Is.EqualTo("KD (Temperature by the teacher, Alpha 0.25)"));
        Assert.That($"{DistillationMethod.Kd(2, 0.25)}", Is.EqualTo("KD (Temperature 2, Alpha 0.25)"));
    }

    private static (double Labels, double Teacher, double Temperature) TermsOf(MethodContext context)
    {
        var terms = DistillationMethod.Kd().Stages(context).Single().Loss.Terms;
        return (terms[0].Weight, terms[1].Weight, ((KdLoss)terms[1].Loss).Temperature);
    }

    [Test]
    public void Labels_alone_need_no_teacher()
    {
        Assert.That(DistillationMethod.LabelsOnly().TeacherNeeds, Is.EqualTo(ModelOutputs.None));
        Assert.That(DistillationMethod.LabelsOnly().Stages(Context).Single().Loss, Is.TypeOf<CrossEntropyLoss>());
        Assert.That(DistillationMethod.Kd().TeacherNeeds, Is.EqualTo(ModelOutputs.Logits));
    }

    [TestCase(0, 0.5, "KD's temperature must be above 0; was 0.")]
    [TestCase(double.PositiveInfinity, 0.5, "KD's temperature must be above 0; was Infinity.")]
    [TestCase(4, 1.5, "KD's alpha must be in [0, 1]; was 1.5.")]
    [TestCase(4, -0.1, "KD's alpha must be in [0, 1]; was -0.1.")]
    [TestCase(4, double.NaN, "KD's alpha must be in [0, 1]; was NaN.")]
    public void A_setting_out_of_range_is_a_fault(double temperature, double alpha, string fault) =>
        Assert.That(DistillationMethod.Kd(temperature, alpha).Validate(), Is.EqualTo(new[] { fault }));

    [Test]
    public void Optimizer_settings_out_of_range_are_faults()
    {
        Assert.That(Optimizer.Sgd(0, 1, true, -1).Validate(), Is.EqualTo(new[]
        {
            "The optimizer's LearningRate must be above 0; was 0.",
            "The optimizer's WeightDecay must be at least 0; was -1.",
            "The optimizer's Momentum must be in [0, 1); was 1.",
        }));
        Assert.That(Optimizer.Sgd(0.1, 0, nesterov: true).Validate(), Is.EqualTo(new[] { "Nesterov momentum needs a Momentum above 0; was 0." }));
        Assert.That(Optimizer.Sgd().Validate().Concat(Optimizer.AdamW().Validate()), Is.Empty);
    }
}
