using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class TimeBudgetTests
{
    [Test]
    public void Training_ends_before_the_step_after_the_time()
    {
        var clock = new Clock();
        using var set = Toy.Clouds(rows: 96);
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        using var split = DataSplit.All(set);
        // A step takes a second, and an epoch has 6.
        var stage = Runs.Stage(100, new SlowLoss(clock), batchSize: 16);
        var settings = new LoopSettings { Budget = new TrainingBudget(TimeSpan.FromSeconds(10), clock) };
        using var loop = new TrainingLoop(network, new MulticlassTask(3), set, split, new Seeds(1), "student", settings);
        loop.Run([stage]);
        Assert.That((loop.State.Steps, loop.State.Epochs), Is.EqualTo((10, 2)));
        Assert.That(loop.StopWarning, Is.EqualTo(
            "Training of the student was ended in epoch 2 of 100 of stage 'stage', after 00:00:10, because MaxTrainingTime is 00:00:10; it is returned with its last weights."));
        Assert.That(settings.Budget.Used, Is.EqualTo(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public void Time_between_two_networks_does_not_count()
    {
        var clock = new Clock();
        var budget = new TrainingBudget(TimeSpan.FromSeconds(20), clock);
        using var set = Toy.Clouds(rows: 96);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            using var network = Runs.Student(NetworkSpec.Mlp(4), set);
            Assert.That(Runs.Train(network, set, Runs.Stage(1, new SlowLoss(clock), batchSize: 16), settings: new LoopSettings { Budget = budget }).Cancelled, Is.False);
            clock.Now += TimeSpan.FromHours(1);
        }

        Assert.That(budget.Used, Is.EqualTo(TimeSpan.FromSeconds(18)));
    }

    private sealed class SlowLoss(Clock clock) : DistillationLoss
    {
        public override string Name => "slow";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs)
        {
            clock.Now += TimeSpan.FromSeconds(1);
            return nn.functional.cross_entropy(inputs.Student.Logits, inputs.Labels);
        }
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
