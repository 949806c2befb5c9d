using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Tests;

/// <summary>Stage-by-stage distillation at work: what is learnt, and that frozen means frozen.</summary>
public sealed class SskdTests
{
    [Test]
    public void Each_stage_cuts_its_own_feature_error_by_nine_tenths()
    {
        using var set = Toy.Clouds(rows: 256, classes: 4, length: 8);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12, 10), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(32, 32), set);
        var run = new MethodRun { Epochs = 180, Optimizer = Optimizer.AdamW(0.02) };

        run.Train(student, set, DistillationMethod.Sskd(), MethodRun.Anchor(teacher));

        foreach (var stage in new[] { "SSKD stage 1", "SSKD stage 2" })
        {
            var errors = run.Reports.Where(r => r.Stage == stage).Select(r => r.Losses["stageFeature"]).ToList();
            Assert.That(errors, Has.Count.EqualTo(60), stage);
            Assert.That(errors[^1], Is.LessThan(0.1 * errors[0]), $"{stage}: {errors[0]} at first");
        }

        Assert.That(Runs.Accuracy(student, set), Is.GreaterThan(0.95), "the head reads the features");
    }

    [Test]
    public void Finished_stages_and_the_teacher_stay_the_same_to_the_last_bit_parameters_and_buffers()
    {
        using var set = Toy.Images(rows: 32, side: 8);
        using var teacher = Runs.Student(NetworkSpec.ResNet(8, 6, 8, 10), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.ResNet(8, 4, 6, 8), set);
        var before = Runs.State(teacher);
        var states = new List<(NetworkPart Part, Dictionary<string, double[]> Values)>();
        var run = new MethodRun { Epochs = 8, BatchSize = 8, BeforeStage = stage => states.Add((stage.Trains, Named(student))) };

        run.Train(student, set, DistillationMethod.Sskd(), MethodRun.Anchor(teacher));

        states.Add((NetworkPart.Whole, Named(student)));
        Assert.That(states, Has.Count.EqualTo(5), "three stages, the head, the end");
        for (var i = 0; i + 1 < states.Count; i++)
        {
            var changed = states[i].Values.Keys.Where(name => !states[i].Values[name].SequenceEqual(states[i + 1].Values[name])).ToList();
            // Body blocks of ResNet-8: stem convolution, batch norm, ReLU (0-2), one block a stage (3-5), pooling (6).
            string[] expected = i switch { 0 => ["_body.0.", "_body.1.", "_body.3."], 1 => ["_body.4."], 2 => ["_body.5."], _ => ["_head."] };
            Assert.That(changed, Is.Not.Empty);
            Assert.That(changed.Where(name => !expected.Any(name.StartsWith)), Is.Empty, $"stage {i + 1} trains {states[i].Part}");
            foreach (var prefix in expected)
                Assert.That(changed, Has.Some.StartsWith(prefix), $"stage {i + 1}");
        }

        Assert.That(Runs.State(teacher), Is.EqualTo(before));
        Assert.That(student.parameters().Select(p => p.requires_grad), Has.All.True, "nothing stays frozen after the run");
    }

    [Test]
    public void A_feature_stage_is_not_judged_by_the_accuracy_of_an_untrained_head()
    {
        using var set = Toy.Clouds(rows: 96);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        var run = new MethodRun { Epochs = 4, HeldOut = 0.25 };
        run.Train(student, set, DistillationMethod.Sskd(), MethodRun.Anchor(teacher));
        Assert.That(run.Reports.Where(r => r.Stage == "SSKD stage 1").Select(r => r.Validation?.Quality), Has.All.Null);
        Assert.That(run.Reports.Where(r => r.Stage == "SSKD head").Select(r => r.Validation?.Quality), Has.None.Null);
    }

    [Test]
    public void What_cannot_have_an_effect_on_a_stage_is_said()
    {
        using var set = Toy.Clouds(rows: 96);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        var run = new MethodRun { Epochs = 4, HeldOut = 0.25, EarlyStopping = new EarlyStopping(1), Schedule = LearningRateSchedule.Step([1, 3]) };
        run.Train(student, set, DistillationMethod.Sskd(), MethodRun.Anchor(teacher));
        Assert.That(run.Warnings, Is.EqualTo(new[]
        {
            "Stage 'SSKD stage 1': the learning rate is to drop after epochs 1, 3 of a stage, and this one has 2.",
            "Stage 'SSKD stage 1' reads no logits of the student, so there is nothing to judge it by: EarlyStopping does not end it, and its last epoch is kept.",
            "Stage 'SSKD head': the learning rate is to drop after epochs 1, 3 of a stage, and this one has 2.",
        }));
    }

    [Test]
    public void The_budget_is_declared()
    {
        using var set = Toy.Clouds(rows: 64);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8, 8), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(4), set);
        var run = new MethodRun { Epochs = 5 };
        run.Train(student, set, DistillationMethod.Sskd(shares: [3, 2]), MethodRun.Anchor(teacher));
        Assert.That(run.Notes, Is.EqualTo(new[] { "SSKD divides 5 epochs: stage 1 (student tap 0 from teacher tap 1) 3, head 2." }));
        Assert.That(run.Reports.Select(r => $"{r.Stage} {r.Epoch}/{r.Epochs}"), Is.EqualTo(new[]
        {
            "SSKD stage 1 1/3", "SSKD stage 1 2/3", "SSKD stage 1 3/3", "SSKD head 1/2", "SSKD head 2/2",
        }));
    }

    private static Dictionary<string, double[]> Named(Network network) =>
        network.state_dict().ToDictionary(pair => pair.Key, pair => Near.Values(pair.Value));
}
