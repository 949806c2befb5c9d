using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Stages as a user's own method lays them out, which may be any.</summary>
public sealed class OwnStagesTests
{
    [Test]
    public void A_method_of_two_stages_inside_RCO_in_one_stage_ended_in_a_sequence_of_more_than_one_element() => Assert.That(
        () => Train(DistillationMethod.Rco(new Own(c => [c.Stage("first", new KdLoss(1)), c.Stage("second", new KdLoss(1))]), schedule: RcoSchedule.OneStage)),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "RcoSchedule.OneStage cannot switch anchors inside own, which has several stages itself ('first', 'second', …); use RcoSchedule.Restart."));

    [Test]
    public void A_method_that_says_it_has_several_stages_is_refused_with_the_settings()
    {
        Assert.That(
            DistillationMethod.Rco(new Own(_ => []) { SaysSeveral = true }, schedule: RcoSchedule.OneStage).Validate(),
            Does.Contain("RcoSchedule.OneStage cannot switch anchors inside own, which has several stages itself; use RcoSchedule.Restart."));
        Assert.That(
            DistillationMethod.Rco(DistillationMethod.Sskd(), schedule: RcoSchedule.OneStage).Validate(),
            Does.Contain("RcoSchedule.OneStage cannot switch anchors inside SSKD, which has several stages itself; use RcoSchedule.Restart."));
    }

    [Test]
    public void A_method_without_stages_trained_nothing_without_a_word()
    {
        Assert.That(() => Train(new Own(_ => [])), Throws.InvalidOperationException.With.Message.StartsWith("The method returned no phase, so nothing was trained."));
        Assert.That(
            () => Train(DistillationMethod.Rco(new Own(_ => []), schedule: RcoSchedule.OneStage)),
            Throws.InvalidOperationException.With.Message.EndsWith("the method inside, own, returns no phase, so nothing would be trained."));
    }

    private static IEnumerable<TestCaseData> Stages()
    {
        static TestCaseData Case(string name, Func<Stage, Stage> change, string fault) => new TestCaseData(change, fault).SetArgDisplayNames(name);
        yield return Case("no epochs", s => s with { Epochs = 0 }, "It must have at least 1 epoch; it has 0.");
        yield return Case("a rate that climbs", s => s with { Optimizer = Optimizer.Sgd() with { LearningRate = -1 } }, "The optimizer's LearningRate must be above 0; was -1.");
        yield return Case("no loss", s => s with { Loss = null! }, "Its Loss must be given; it is null.");
        yield return Case("no sampler", s => s with { Sampler = null! }, "Its Sampler must be given; it is null.");
        yield return Case("no optimizer", s => s with { Optimizer = null! }, "Its Optimizer must be given; it is null.");
        yield return Case("no schedule", s => s with { Schedule = null! }, "Its Schedule must be given; it is null.");
    }

    [TestCaseSource(nameof(Stages))]
    public void A_stage_that_cannot_work_is_refused(Func<Stage, Stage> change, string fault) => Assert.That(
        () => Train(new Own(c => [change(c.Stage("only", new KdLoss(1)))])), Throws.InvalidOperationException.With.Message.EqualTo($"Stage 'only': {fault}"));

    [Test]
    public void A_sampler_that_gives_no_batch_is_named() => Assert.That(
        () => Train(new Own(c => [c.Stage("only", new KdLoss(1)) with { Sampler = new Empty() }])),
        Throws.InvalidOperationException.With.Message.EqualTo("The sampler of stage 'only' gave no batch in epoch 1 from 96 rows, so nothing was learnt."));

    [Test]
    public void Parameters_that_do_not_train_were_counted_as_trainable()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(new HalfFixed(), set);
        Assert.That(network.ParameterCount, Is.EqualTo((6 * 3) + 3));
        Runs.Train(network, set, Runs.Stage(1));
        Assert.That(network.ParameterCount, Is.EqualTo((6 * 3) + 3), "after training");
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1) with { Trains = new NetworkPart(null, 0) }),
            Throws.InvalidOperationException.With.Message.EndsWith("has no parameters, or all of them have requires_grad off. Train another part, or turn requires_grad on."));
    }

    private static void Train(DistillationMethod method)
    {
        using var set = Toy.Clouds();
        using var teacher = Runs.Student(NetworkSpec.Mlp(4), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(4), set);
        new MethodRun { Epochs = 2 }.Train(student, set, method, MethodRun.Anchor(teacher));
    }

    private sealed record Own(Func<MethodContext, IReadOnlyList<Stage>> Laid) : DistillationMethod
    {
        public bool SaysSeveral { get; init; }

        public override string Name => "own";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override bool HasSeveralPhases => SaysSeveral;

        public override IEnumerable<TrainingPhase> Phases(MethodContext context) => Laid(context);
    }

    private sealed class Empty : MlNetDistill.Data.Sampler
    {
        public override int BatchesPerEpoch(long rows) => 0;

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator) => [];
    }

    private sealed record HalfFixed : NetworkSpec
    {
        public override string Name => "half fixed";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var first = new Linear(shape.Length, 6, generator);
            foreach (var parameter in first.parameters())
                parameter.requires_grad = false;
            return new NetworkPlan([first], [0], 6);
        }
    }
}
