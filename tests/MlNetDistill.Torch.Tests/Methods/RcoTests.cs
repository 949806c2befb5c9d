using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Route-constrained optimisation at work on a route recorded while a teacher trains.</summary>
public sealed class RcoTests
{
    private readonly InMemoryRows _set = Toy.Clouds(rows: 192, classes: 4, length: 6, noise: 1);
    private readonly List<NetworkWeights> _checkpoints = [];
    private readonly SharedNetwork _shared;
    private readonly Anchor[] _route;

    /// <summary>A teacher trained for six epochs with a checkpoint after every second.</summary>
    public RcoTests()
    {
        using var teacher = Runs.Student(NetworkSpec.Mlp(24), _set, seed: 9);
        Runs.Train(teacher, _set, Runs.Stage(6), settings: new LoopSettings
        {
            AfterEpoch = epoch =>
            {
                if (epoch % 2 == 0)
                    _checkpoints.Add(new NetworkWeights(teacher));
            },
        });
        _shared = new SharedNetwork(Runs.Student(NetworkSpec.Mlp(24), _set, seed: 2));
        _route = [.. _checkpoints.Select((weights, i) => new Anchor($"epoch {2 * (i + 1)}", 2 * (i + 1), new CheckpointTeacher(_shared, weights.Restore, TeacherCaching.InMemory(64))))];
    }

    [OneTimeTearDown]
    public void Dispose()
    {
        _set.Dispose();
        _shared.Dispose();
        _checkpoints.ForEach(c => c.Dispose());
    }

    [Test]
    public void Anchors_are_visited_in_order_and_the_divergence_to_each_falls()
    {
        using var student = Runs.Student(NetworkSpec.Mlp(16), _set);
        var run = new MethodRun { Epochs = 8 };

        run.Train(student, _set, DistillationMethod.Rco(DistillationMethod.Kd(2, 1)), _route);

        Assert.That(run.Reports.Select(r => r.Stage).Distinct(), Is.EqualTo(new[] { "KD, epoch 2", "KD, epoch 4", "KD, epoch 6" }));
        foreach (var stage in run.Reports.GroupBy(r => r.Stage))
            Assert.That(stage.Last().Losses["kd"], Is.LessThan(stage.First().Losses["kd"]), stage.Key);
        Assert.That(run.Notes[0], Is.EqualTo("RCO: training on anchor 1 of 3, epoch 2, for 8 epochs."));
    }

    [Test]
    public void Each_anchor_answers_with_its_own_weights()
    {
        using var scope = NewDisposeScope();
        var batch = Batch.Gather(_set, arange(8, int64));
        var answers = _route.Select(a => Near.Values(a.Teacher.Outputs(batch, ModelOutputs.Logits).Logits)).ToList();
        Assert.That(answers[0], Is.Not.EqualTo(answers[1]));
        Assert.That(answers[1], Is.Not.EqualTo(answers[2]));
        Assert.That(Near.Values(_route[0].Teacher.Outputs(batch, ModelOutputs.Logits).Logits), Is.EqualTo(answers[0]), "asked again after the others");
    }

    [Test]
    public void An_anchors_batch_norm_statistics_are_its_own()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Images(rows: 16);
        using var teacher = Runs.Student(NetworkSpec.ResNet(8, 4, 4, 4), set, seed: 9);
        using var early = new NetworkWeights(teacher);
        Runs.Train(teacher, set, Runs.Stage(2, batchSize: 8));
        using var late = new NetworkWeights(teacher);
        using var shared = new SharedNetwork(Runs.Student(NetworkSpec.ResNet(8, 4, 4, 4), set));
        var anchors = new[] { early, late }.Select(w => new CheckpointTeacher(shared, w.Restore, TeacherCaching.InMemory(8))).ToList();
        var batch = Batch.Gather(set, arange(4, int64));
        teacher.eval();
        Assert.That(
            Near.Values(anchors[1].Outputs(batch, ModelOutputs.Logits).Logits), Is.EqualTo(Near.Values(teacher.forward(batch.Features).Logits)));
        early.Restore(teacher);
        Assert.That(
            Near.Values(anchors[0].Outputs(batch, ModelOutputs.Logits).Logits), Is.EqualTo(Near.Values(teacher.forward(batch.Features).Logits)));
    }

    [Test]
    public void One_stage_switches_anchors_at_equal_fractions_of_one_run()
    {
        using var student = Runs.Student(NetworkSpec.Mlp(16), _set);
        var run = new MethodRun { Epochs = 6 };
        run.Train(student, _set, DistillationMethod.Rco(schedule: RcoSchedule.OneStage), _route);
        Assert.That(run.Reports.Select(r => (r.Stage, r.Epoch)), Is.EqualTo(Enumerable.Range(1, 6).Select(e => ("RCO, one stage", e))));
        Assert.That(run.Notes, Is.EqualTo(new[]
        {
            "From epoch 1 on the anchor is epoch 2.", "From epoch 3 on the anchor is epoch 4.", "From epoch 5 on the anchor is epoch 6.",
        }));
    }

    [Test]
    public void One_stage_may_stop_early_and_be_judged_only_once_the_last_anchor_teaches()
    {
        using var student = Runs.Student(NetworkSpec.Mlp(16), _set);
        // A rate of almost nothing never improves: patience ends right after the last anchor has taken over.
        var run = new MethodRun { Epochs = 30, HeldOut = 0.25, Optimizer = Optimizer.Sgd(1e-9), EarlyStopping = new EarlyStopping(2) };
        run.Train(student, _set, DistillationMethod.Rco(schedule: RcoSchedule.OneStage), _route);
        Assert.That(run.Notes[^1], Is.EqualTo("From epoch 21 on the anchor is epoch 6."));
        Assert.That(run.Reports, Has.Count.EqualTo(23));
    }

    [Test]
    public void One_stage_refuses_anchors_that_differ_in_what_the_loss_reads()
    {
        using var narrow = Runs.Student(NetworkSpec.Mlp(8), _set, seed: 9);
        using var wide = Runs.Student(NetworkSpec.Mlp(16), _set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(8), _set);
        Anchor[] route = [new("narrow", 1, new NetworkTeacher(narrow, TeacherCaching.InMemory(64))), new("wide", 2, new NetworkTeacher(wide, TeacherCaching.InMemory(64)))];
        var hint = DistillationMethod.FromLoss("hint", new CrossEntropyLoss() + new HintLoss((0, 0)));
        Assert.That(
            () => new MethodRun { Epochs = 4 }.Train(student, _set, DistillationMethod.Rco(hint, schedule: RcoSchedule.OneStage), route),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "RcoSchedule.OneStage changes the teacher within a stage, so all anchors must have the same shapes of the outputs that the loss reads: 'narrow' gives " +
                "stage features [8], 'wide' stage features [16]. Use RcoSchedule.Restart."));
        Assert.That(
            () => new MethodRun { Epochs = 4 }.Train(student, _set, DistillationMethod.Rco(schedule: RcoSchedule.OneStage), route), Throws.Nothing, "KD reads logits");
        Assert.That(() => new MethodRun { Epochs = 2 }.Train(student, _set, DistillationMethod.Rco(hint), route), Throws.Nothing, "stages of their own");
    }

    [Test]
    public void The_switch_epochs_equal_the_reference()
    {
        var record = Golden.Record("schedules.json", "name", "rco_one_stage_eei_switch_epochs");
        var epochs = record.GetProperty("params").GetProperty("student_epochs").GetInt32();
        var anchors = record.GetProperty("params").GetProperty("anchors").GetInt32();
        var teacher = new SwitchingTeacher(
            [.. Enumerable.Range(1, anchors).Select(i => new Anchor($"{i}", i, new PlannedTeacher(3)))],
            epochs);
        Assert.That(Enumerable.Range(0, anchors).Select(i => teacher.FirstEpochOf(i) - 1L), Is.EqualTo(Golden.Integers(record.GetProperty("switch_at_epoch_from_0"))));
    }

    [Test]
    public void Greedy_search_measures_the_student_as_it_stands_on_held_out_rows()
    {
        using var student = Runs.Student(NetworkSpec.Mlp(16), _set);
        var run = new MethodRun { Epochs = 3, HeldOut = 0.25 };
        run.Train(student, _set, DistillationMethod.Rco(anchors: AnchorSelection.Greedy(1.0001)), _route);
        Assert.That(run.Notes, Has.Some.StartsWith("Greedy anchor selection after epoch 2: divergence ratios epoch 4 "));
        Assert.That(run.Reports[^1].Stage, Is.EqualTo("KD, epoch 6"), "the converged teacher is always the last");
    }

    [Test]
    public void RCO_composes_with_DIST_CCKD_hints_and_stage_by_stage()
    {
        foreach (var inner in new[]
        {
            DistillationMethod.Dist(), DistillationMethod.Cckd(), DistillationMethod.Sskd(),
            DistillationMethod.FromLoss("hint", new CrossEntropyLoss() + new HintLoss((0, 0))),
        })
        {
            using var student = Runs.Student(NetworkSpec.Mlp(16), _set);
            var run = new MethodRun { Epochs = 4 };
            run.Train(student, _set, DistillationMethod.Rco(inner), _route);
            Assert.That(run.Reports.Select(r => r.Stage[(r.Stage.IndexOf(',', StringComparison.Ordinal) + 2)..]).Distinct(), Is.EqualTo(new[] { "epoch 2", "epoch 4", "epoch 6" }), inner.Name);
            Assert.That(Runs.Accuracy(student, _set), Is.GreaterThan(0.6), inner.Name);
        }
    }
}
