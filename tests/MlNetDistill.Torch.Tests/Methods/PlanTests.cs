using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Tests;

/// <summary>The exact sequence of stages that each method lays out, without training anything.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class PlanTests
{
    private static readonly OutputShapes ResNet = new(10, 32, [[8, 28, 28], [8, 28, 28], [16, 14, 14], [32, 7, 7]]);
    private readonly List<string> _notes = [];

    [Test]
    public void DIST_is_one_stage_of_cross_entropy_and_both_relations()
    {
        var stage = DistillationMethod.Dist(temperature: 2, interWeight: 3, intraWeight: 0.5, labelWeight: 0.25).Stages(Context()).Single();
        Assert.That(Plan(stage), Is.EqualTo("DIST: 0.25 crossEntropy + 1 dist, 12 epochs, whole network"));
        var loss = (DistLoss)stage.Loss.Terms[1].Loss;
        Assert.That((loss.Temperature, loss.InterWeight, loss.IntraWeight), Is.EqualTo((2.0, 3.0, 0.5)));
    }

    [Test]
    public void DIST_defaults_to_the_CIFAR_configuration_of_the_official_code()
    {
        var given = DistillationMethod.Dist(temperature: 4, interWeight: 2, intraWeight: 2, labelWeight: 1).Stages(Context()).Single();
        Assert.That($"{DistillationMethod.Dist().Stages(Context()).Single()}", Is.EqualTo($"{given}"));
        Assert.That($"{given}", Does.Contain("Temperature 4"));
    }

    [Test]
    public void CCKD_is_one_stage_of_cross_entropy_KD_and_congruence_of_embeddings()
    {
        var stage = DistillationMethod.Cckd(alpha: 0.25, beta: 7, temperature: 3).Stages(Context()).Single();
        Assert.That(Plan(stage), Is.EqualTo("CCKD: 0.25 crossEntropy + 0.75 kd + 7 correlationCongruence, 12 epochs, whole network"));
        Assert.That(stage.Loss.TeacherNeeds, Is.EqualTo(ModelOutputs.Logits | ModelOutputs.Embedding));
        Assert.That(((KdLoss)stage.Loss.Terms[1].Loss).Temperature, Is.EqualTo(3));
    }

    [Test]
    public void CCKD_without_embeddings_refuses_or_compares_logits_as_it_is_told()
    {
        var context = Context() with { Anchors = [new Anchor("forest", 1, new PlannedTeacher(10))] };
        Assert.That(
            () => DistillationMethod.Cckd().Stages(context).ToList(),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "CCKD compares embeddings, and this teacher gives none. Set missingEmbedding to MissingEmbedding.UseLogits to compare logits, " +
                "or use a teacher that is a network."));
        var method = DistillationMethod.Cckd(missingEmbedding: MissingEmbedding.UseLogits);
        Assert.That(method.TeacherNeeds, Is.EqualTo(ModelOutputs.Logits));
        Assert.That(method.Stages(context).Single().Loss.TeacherNeeds, Is.EqualTo(ModelOutputs.Logits));
        Assert.That(_notes, Is.EqualTo(new[] { "CCKD: the teacher gives no embeddings; the correlations are those of the logits." }));
    }

    [Test]
    public void SSKD_learns_the_stages_between_resolutions_one_after_another_and_then_the_head()
    {
        Assert.That(DistillationMethod.Sskd().Stages(Context()).Select(Plan), Is.EqualTo(new[]
        {
            "SSKD stage 1: 1 stageFeature, 3 epochs, input to tap 1",
            "SSKD stage 2: 1 stageFeature, 3 epochs, after tap 1 to tap 2",
            "SSKD stage 3: 1 stageFeature, 3 epochs, after tap 2 to tap 3",
            "SSKD head: 1 crossEntropy, 3 epochs, after tap 3 to the logits",
        }));
        Assert.That(_notes, Is.EqualTo(new[]
        {
            "SSKD divides 12 epochs: stage 1 (student tap 1 from teacher tap 1) 3, stage 2 (student tap 2 from teacher tap 2) 3, " +
            "stage 3 (student tap 3 from teacher tap 3) 3, head 3.",
        }));
    }

    [Test]
    public void SSKD_follows_given_pairs_shares_and_head()
    {
        var method = DistillationMethod.Sskd(
            [new StagePair(0, 2), new StagePair(3, 3)], [1, 1, 4], headLoss: new CrossEntropyLoss() + new KdLoss(2), trainBackboneWithHead: true);
        Assert.That(method.Stages(Context()).Select(Plan), Is.EqualTo(new[]
        {
            "SSKD stage 1: 1 stageFeature, 2 epochs, input to tap 0",
            "SSKD stage 2: 1 stageFeature, 2 epochs, after tap 0 to tap 3",
            "SSKD head: 1 crossEntropy + 1 kd, 8 epochs, whole network",
        }));
        Assert.That(method.TeacherNeeds, Is.EqualTo(ModelOutputs.StageFeatures | ModelOutputs.Logits));
    }

    [Test]
    public void SSKD_refuses_a_budget_that_leaves_a_stage_without_an_epoch() => Assert.That(
        () => DistillationMethod.Sskd().Stages(Context() with { Epochs = 3 }).ToList(),
        Throws.InvalidOperationException.With.Message.StartsWith("SSKD needs at least one epoch for each stage and for the head; of 3 epochs they would have 1, 1, 0, 1."));

    [Test]
    public void RCO_trains_with_each_anchor_in_order_a_full_schedule_each()
    {
        var stages = DistillationMethod.Rco().Stages(Route(10, 40, 120)).ToList();
        Assert.That(stages.Select(Plan), Is.EqualTo(new[]
        {
            "KD, epoch 10: 0.1 crossEntropy + 0.9 kd, 12 epochs, whole network",
            "KD, epoch 40: 0.1 crossEntropy + 0.9 kd, 12 epochs, whole network",
            "KD, epoch 120: 0.1 crossEntropy + 0.9 kd, 12 epochs, whole network",
        }));
        Assert.That(stages.Select(s => s.Teacher!.Shapes.EmbeddingLength), Is.EqualTo(new[] { 128, 129, 130 }), "each stage has its own anchor");
    }

    [Test]
    public void RCO_composes_with_any_method()
    {
        var context = Route(1, 2);
        Assert.That(DistillationMethod.Rco(DistillationMethod.Dist()).Name, Is.EqualTo("RCO×DIST"));
        Assert.That(
            DistillationMethod.Rco(DistillationMethod.Dist()).Stages(context).Select(s => s.Loss.Terms[1].Loss), Has.All.TypeOf<DistLoss>());
        Assert.That(
            DistillationMethod.Rco(DistillationMethod.Cckd()).Stages(context).Select(s => s.Loss.Terms[2].Loss), Has.All.TypeOf<CorrelationCongruenceLoss>());
        Assert.That(DistillationMethod.Rco(DistillationMethod.Sskd()).Stages(context).Select(s => s.Name), Is.EqualTo(new[]
        {
            "SSKD stage 1, epoch 1", "SSKD stage 2, epoch 1", "SSKD stage 3, epoch 1", "SSKD head, epoch 1",
            "SSKD stage 1, epoch 2", "SSKD stage 2, epoch 2", "SSKD stage 3, epoch 2", "SSKD head, epoch 2",
        }));
        var hint = DistillationMethod.FromLoss("hint", new CrossEntropyLoss() + (100 * new HintLoss((2, 2))));
        Assert.That(DistillationMethod.Rco(hint).Stages(context).Select(s => s.Name), Is.EqualTo(new[] { "hint, epoch 1", "hint, epoch 2" }));
    }

    [Test]
    public void One_stage_RCO_is_one_run_with_one_schedule()
    {
        var stage = DistillationMethod.Rco(anchors: AnchorSelection.EqualInterval(2), schedule: RcoSchedule.OneStage).Stages(Route(1, 2, 3, 4)).Single();
        Assert.That(Plan(stage), Is.EqualTo("RCO, one stage: 0.1 crossEntropy + 0.9 kd, 12 epochs, whole network"));
        Assert.That(stage.Teacher, Is.TypeOf<SwitchingTeacher>());
    }

    [Test]
    public void One_stage_RCO_needs_an_epoch_for_each_anchor() => Assert.That(
        () => DistillationMethod.Rco(schedule: RcoSchedule.OneStage).Stages(Route(1, 2, 3) with { Epochs = 2 }).ToList(),
        Throws.InvalidOperationException.With.Message.StartsWith("One run of 2 epochs is too short for 3 anchors"));

    [Test]
    public void Greedy_RCO_asks_for_the_next_anchor_only_when_the_last_is_trained()
    {
        var asked = 0;
        var context = Route(1, 2, 3) with { HeldOutDivergence = _ => ++asked };
        using var stages = DistillationMethod.Rco(anchors: AnchorSelection.Greedy(1.5)).Stages(context).GetEnumerator();
        Assert.That(stages.MoveNext(), Is.True);
        Assert.That(asked, Is.Zero, "nothing is measured before the first anchor is trained");
        Assert.That(stages.MoveNext(), Is.True);
        Assert.That(asked, Is.Positive);
    }

    [Test]
    public void A_loss_of_ones_own_is_a_method()
    {
        var method = DistillationMethod.FromLoss("mine", (0.5 * new CrossEntropyLoss()) + (2 * new KdLoss(1)));
        Assert.That(method.Stages(Context()).Select(Plan), Is.EqualTo(new[] { "mine: 0.5 crossEntropy + 2 kd, 12 epochs, whole network" }));
        Assert.That(() => DistillationMethod.FromLoss(" ", new KdLoss(1)), Throws.ArgumentException);
    }

    [TestCaseSource(nameof(Wrong))]
    public void A_setting_out_of_range_is_a_fault(DistillationMethod method, string fault) => Assert.That(method.Validate(), Does.Contain(fault));

    private static IEnumerable<TestCaseData> Wrong()
    {
        yield return new(DistillationMethod.Dist(temperature: 0), "DIST's temperature must be above 0; was 0.");
        yield return new(DistillationMethod.Dist(labelWeight: -1), "DIST's labelWeight must be at least 0; was -1.");
        yield return new(
            DistillationMethod.Dist(interWeight: 0, intraWeight: 0),
            "DIST's interWeight and intraWeight must not both be 0: nothing would be learnt from the teacher.");
        yield return new(DistillationMethod.Cckd(beta: double.NaN), "CCKD's beta must be at least 0; was NaN.");
        yield return new(DistillationMethod.Cckd(alpha: 2), "CCKD's alpha must be in [0, 1]; was 2.");
        yield return new(DistillationMethod.Rco(DistillationMethod.Rco()), "The method inside RCO must not be RCO itself.");
        yield return new(DistillationMethod.Rco(DistillationMethod.LabelsOnly()), "The method inside RCO must ask its teacher about the rows; labels only does not.");
        yield return new(
            DistillationMethod.Rco(anchors: AnchorSelection.Greedy(2), schedule: RcoSchedule.OneStage),
            $"The anchor selection {AnchorSelection.Greedy(2)} depends on the student after each anchor's training, which RcoSchedule.OneStage does not have; use RcoSchedule.Restart.");
        yield return new(DistillationMethod.Rco(DistillationMethod.Kd(0)), "KD's temperature must be above 0; was 0.");
        yield return new(DistillationMethod.Sskd(shares: [1, 0]), "SSKD's shares must be above 0; were [1, 0].");
        yield return new(
            DistillationMethod.Sskd([new StagePair(1, 1)], [1, 1, 1]), "SSKD needs 2 shares, one for each stage and one for the head; found 3.");
        yield return new(
            DistillationMethod.Sskd([new StagePair(2, 1), new StagePair(1, 2)]), "The student's taps must rise from stage to stage; were 2, 1.");
    }

    private MethodContext Context() => new(
        [new Anchor("teacher", 1, new PlannedTeacher(10, 128, [32, 28, 28], [32, 28, 28], [64, 14, 14], [128, 7, 7]))],
        ResNet,
        new ShuffledSampler(8),
        12,
        Optimizer.Sgd(0.05),
        LearningRateSchedule.Cosine())
    {
        Note = _notes.Add,
    };

    /// <summary>Anchors that can be told apart by the length of their embeddings.</summary>
    private MethodContext Route(params int[] epochs) => Context() with
    {
        Anchors = [.. epochs.Select((epoch, i) => new Anchor(
            $"epoch {epoch}", epoch, new PlannedTeacher(10, 128 + i, [32, 28, 28], [32, 28, 28], [64, 14, 14], [128, 7, 7])))],
    };

    private static string Plan(Stage stage) =>
        $"{stage.Name}: {string.Join(" + ", stage.Loss.Terms.Select(t => FormattableString.Invariant($"{t.Weight:0.##} {t.Loss.Name}")))}, {stage.Epochs} epochs, {stage.Trains}";
}
