using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A bilevel stage in the training loop: its state, its end, and what is restored.</summary>
public sealed class BilevelStageTests
{
    [Test]
    public void The_state_holds_the_copy_of_the_teacher_its_optimizer_and_the_generator_of_the_quiz_bit_for_bit()
    {
        var looked = false;
        Train(3, (state, progress) =>
        {
            if (progress.Epoch != 2)
                return;
            looked = true;
            using var stream = new MemoryStream();
            state.Save(stream);
            stream.Position = 0;
            using var loaded = TrainingState.Load(stream);
            using var scope = NewDisposeScope();
            var (here, there) = (state.Tensors(), loaded.Tensors());
            Assert.That(there.Keys, Is.EquivalentTo(here.Keys));
            foreach (var (name, value) in here)
                Assert.That(Near.Values(there[name]), Is.EqualTo(Near.Values(value)), name);
            var weights = state.Stage!.TeacherCopy!.Network.state_dict().Keys.ToList();
            Assert.That(here.Keys, Is.SupersetOf(weights.Select(weight => $"stage/teacher/{weight}")));
            Assert.That(here.Keys.Count(name => name.StartsWith("stage/teacherOptimizer/", StringComparison.Ordinal) && name.EndsWith("/velocity", StringComparison.Ordinal)), Is.EqualTo(weights.Count));
            Assert.That(here.Keys, Has.Some.EqualTo("generators/quizzing").And.Some.EqualTo("stage/generators/quizzing"));
            Assert.That((loaded.Stage!.TeacherOptimizerSteps, loaded.Stage.OptimizerSteps, loaded.Steps), Is.EqualTo((10L, 10L, 10L)), "five batches of 72 rows without the quiz");
        });
        Assert.That(looked, Is.True);
    }

    [Test]
    public void Rounds_of_several_batches_update_the_teacher_once_each_and_the_student_for_every_batch()
    {
        var steps = (0L, 0L);
        Train(1, (state, _) => steps = (state.Stage!.TeacherOptimizerSteps, state.Stage.OptimizerSteps), change: stage => stage with { BatchesPerRound = 2 });
        Assert.That(steps, Is.EqualTo((3L, 5L)), "two, two and one batch");
    }

    [Test]
    public void The_best_epoch_is_restored_at_the_end_and_early_stopping_ends_the_stage()
    {
        List<(double[] State, ValidationResult Result)> epochs = [];
        var last = Train(
            40,
            (state, progress) => epochs.Add((Runs.State(state.Student!), progress.Validation!)),
            given => given with { EarlyStopping = new EarlyStopping(Patience: 3) },
            stage => stage with { Student = stage.Student with { Optimizer = Optimizer.Sgd(0.5) } });
        Assert.That(epochs, Has.Count.LessThan(40));
        var best = epochs.MaxBy(e => (e.Result.Quality, -e.Result.Loss));
        Assert.That(last, Is.EqualTo(best.State));
    }

    [Test]
    public void Neither_early_stopping_nor_the_best_epoch_counts_the_epochs_before_the_first_round()
    {
        List<(double[] State, ValidationResult Result)> epochs = [];
        var last = Train(
            12,
            (state, progress) => epochs.Add((Runs.State(state.Student!), progress.Validation!)),
            given => given with { EarlyStopping = new EarlyStopping(Patience: 1) },
            stage => stage with { FixedTeacherEpochs = 8, Student = stage.Student with { Optimizer = Optimizer.Sgd(1e-12) } });
        Assert.That(epochs, Has.Count.EqualTo(10), "a student that stands still: one epoch with rounds, then one that is no better");
        Assert.That(last, Is.EqualTo(epochs[8].State));
    }

    [Test]
    public void A_cancelled_stage_returns_the_best_epoch_or_throws()
    {
        using var cancel = new CancellationTokenSource();
        double[] first = [];
        void Cancel(TrainingState state, TrainingProgress progress)
        {
            if (progress.Epoch == 1)
                first = Runs.State(state.Student!);
            cancel.Cancel();
        }

        var last = Train(5, Cancel, given => given with { CancellationToken = cancel.Token, OnCancellation = CancellationBehavior.ReturnBest });
        Assert.That(last, Is.EqualTo(first));
        Assert.That(() => Train(5, Cancel, given => given with { CancellationToken = cancel.Token }), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Clipping_limits_the_gradient_of_the_teacher_too()
    {
        double[] Copy(double? norm)
        {
            double[] copy = [];
            Train(1, (state, _) => copy = Runs.State(state.Stage!.TeacherCopy!.Network), given => given with { GradientClipping = norm }, stage => stage with { TeacherOptimizer = Optimizer.Sgd(1, 0, false, 0) });
            return copy;
        }

        using var set = Toy.Clouds(rows: 128, noise: 1);
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        var before = Runs.State(teaching.Network);
        double Moved(double? norm) => Math.Sqrt(Copy(norm).Zip(before, (a, b) => (a - b) * (a - b)).Sum());
        Assert.That(Moved(1e-5), Is.LessThanOrEqualTo(5.01e-5).And.GreaterThan(0), "five rounds of at most 1e-5");
        Assert.That(Moved(null), Is.GreaterThan(1e-4));
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Augmented_rows_are_answered_by_the_copy(int augmentedFrom)
    {
        using var set = Toy.Clouds(rows: 96);
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        var (reports, loop) = Teaching.Train(student, set, Stage(teaching, 2), settings: new LoopSettings
        {
            View = (positions, view) =>
            {
                var batch = Batch.Gather(set, positions);
                return batch with { View = view, Features = view > augmentedFrom ? batch.Features.Add(0.1) : batch.Features };
            },
        });
        loop.Dispose();
        Assert.That(reports[^1].Losses["quiz"], Is.LessThan(reports[0].Losses["quiz"]));
    }

    private static BilevelStage Stage(Teaching teaching, int epochs) =>
        new(Runs.Stage(epochs, (0.5 * new CrossEntropyLoss()) + (0.5 * new KdLoss(2)), teaching.Teacher), Optimizer.Sgd(0.05, 0.9, false), 0.05) { QuizShare = 0.25 };

    /// <summary>Trains on 96 of 128 rows; 24 of these are the quiz.</summary>
    /// <returns>The student's weights and buffers at the end.</returns>
    private static double[] Train(
        int epochs, Action<TrainingState, TrainingProgress> look, Func<LoopSettings, LoopSettings>? settings = null, Func<BilevelStage, BilevelStage>? change = null)
    {
        using var set = Toy.Clouds(rows: 128, noise: 1);
        using var drawing = new Generator(5);
        using var split = DataSplit.ByFraction(set, 0.25, drawing);
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        TrainingState? state = null;
        var given = new LoopSettings { Report = progress => look(state!, progress) };
        using var loop = new TrainingLoop(student, new MulticlassTask(student.LogitCount), set, split, new Seeds(1), "student", settings?.Invoke(given) ?? given);
        state = loop.State;
        loop.Run([change?.Invoke(Stage(teaching, epochs)) ?? Stage(teaching, epochs)]);
        return Runs.State(student);
    }
}
