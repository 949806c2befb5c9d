using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class TrainingLoopTests
{
    public static IEnumerable<TestCaseData> Optimizers() =>
    [
        new TestCaseData(Optimizer.Sgd(0.1), LearningRateSchedule.Constant()),
        new TestCaseData(Optimizer.Sgd(0.1), LearningRateSchedule.OneCycle()),
        new TestCaseData(Optimizer.AdamW(0.01), LearningRateSchedule.Cosine()),
        new TestCaseData(Optimizer.AdamW(0.01), LearningRateSchedule.Step([3, 6]) with { WarmupEpochs = 1 }),
    ];

    [TestCaseSource(nameof(Optimizers))]
    public void Separable_classes_are_learnt_and_recognised_in_new_rows(Optimizer optimizer, LearningRateSchedule schedule)
    {
        using var set = Toy.Clouds();
        using var fresh = Toy.Clouds(rows: 300, seed: 2);
        using var network = Runs.Student(NetworkSpec.Mlp(16), set);
        Runs.Train(network, set, Runs.Stage(10, optimizer: optimizer, schedule: schedule));
        Assert.That(Runs.Accuracy(network, fresh), Is.GreaterThan(0.97));
    }

    [Test]
    public void A_ResNet_learns_to_tell_images_apart()
    {
        using var set = Toy.Images(64);
        using var fresh = Toy.Images(64, seed: 2);
        using var network = Runs.Student(NetworkSpec.ResNet(8, 4, 8, 16), set);
        Runs.Train(network, set, Runs.Stage(8));
        Assert.That(Runs.Accuracy(network, fresh), Is.GreaterThan(0.95));
    }

    [Test]
    public void KD_alone_brings_the_student_to_agree_with_its_teacher_whatever_the_labels_say()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(rows: 256, noise: 2, shiftLabels: 1);
        using var teacher = Runs.Student(NetworkSpec.Mlp(), set, seed: 9);
        using var cached = Runs.Cached(teacher, set);
        using var student = Runs.Student(NetworkSpec.Mlp(32), set);
        var rows = arange(set.Count, int64);
        Tensor Classes(Network network) => Scoring.Logits(network, set, rows, 64).argmax(1);
        double Agreement() => Classes(student).eq(Classes(teacher)).to(float32).mean().item<float>();
        Assert.That(Agreement(), Is.LessThan(0.8), "before training");

        var context = new MethodContext(
            [new Anchor("teacher", 1, cached)], student.GetOutputShapes(), new ShuffledSampler(32), 60, Optimizer.AdamW(0.01), LearningRateSchedule.OneCycle());
        Runs.Train(student, set, DistillationMethod.Kd(temperature: 2, alpha: 1).Stages(context).Single());

        Assert.That(Agreement(), Is.GreaterThan(0.95));
    }

    [Test]
    public void The_teacher_cache_is_the_same_to_the_last_bit_after_training()
    {
        using var set = Toy.Clouds();
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 9);
        using var cached = Runs.Cached(teacher, set);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        cached.Begin(set, ModelOutputs.Logits, null);
        using var scope = NewDisposeScope();
        var batch = Batch.Gather(set, arange(set.Count, int64));
        var (logits, weights) = (Near.Values(cached.Outputs(batch, ModelOutputs.Logits).Logits), Runs.State(teacher));

        Runs.Train(student, set, Runs.Stage(3, new KdLoss(4), cached));

        cached.Begin(set, ModelOutputs.Logits, null);
        var after = cached.Outputs(batch, ModelOutputs.Logits).Logits;
        Assert.That(Near.Values(after), Is.EqualTo(logits));
        Assert.That(Runs.State(teacher), Is.EqualTo(weights));
        Assert.That(after.requires_grad, Is.False);
    }

    [Test]
    public void Held_out_rows_are_not_trained_on()
    {
        using var set = Toy.Clouds(rows: 40);
        using var held = tensor(Enumerable.Range(0, 40).Select(i => i % 4 == 0).ToArray());
        using var split = DataSplit.ByMask(set, held);
        // Other values in the held-out rows: a student that never saw them ends up the same.
        using var kept = Toy.Set(set.AllFeatures().index_fill_(0, split.Validation!, 1000), set.Labels.data<long>().ToArray(), set.Shape, set.Classes());
        using var keptSplit = DataSplit.ByMask(kept, held);
        using var one = Runs.Student(NetworkSpec.Mlp(8), set);
        using var other = Runs.Student(NetworkSpec.Mlp(8), kept);

        Runs.Train(one, set, Runs.Stage(1, batchSize: 8), split: split);
        Runs.Train(other, kept, Runs.Stage(1, batchSize: 8), split: keptSplit);

        Assert.That(Runs.State(other), Is.EqualTo(Runs.State(one)));
    }

    [Test]
    public void The_student_is_left_in_eval_mode()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(8), set);
        Runs.Train(network, set, Runs.Stage(1));
        Assert.That(network.training, Is.False);
    }
}
