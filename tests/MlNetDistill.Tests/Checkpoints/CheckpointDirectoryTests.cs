using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Checkpoints;

/// <summary>What happens in a checkpoint directory other than a training that goes on: another training, damaged files, a second process, no place to write.</summary>
[Category("NoCulture")]
public sealed class CheckpointDirectoryTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;
    private readonly ToyFolder _folder = new();

    public CheckpointDirectoryTests() => _view = _context.Keyed(Rows.Points());

    [OneTimeTearDown]
    public void Remove() => _folder.Dispose();

    private static readonly Lazy<DistillationTransformer> Other = new(() => Rows.Context().Fit(Rows.Quick(), Rows.Context().Keyed(Rows.Points())));

    private string NewDirectory() => _folder.File($"{Guid.NewGuid():N}");

    private static DistillationOptions In(string directory, ChangedTraining whenChanged = ChangedTraining.Refuse) => Rows.Quick() with
    {
        CheckpointDirectory = directory,
        Checkpoints = new CheckpointOptions { EveryEpochs = 1, WhenChanged = whenChanged },
    };

    private static IEnumerable<TestCaseData> Changes()
    {
        yield return Case("another batch size", options => options with { BatchSize = 32 }, "BatchSize was 16, and is 32");
        yield return Case("another student", options => options with { Student = NetworkSpec.Mlp(9) }, "Student was MLP 8, and is MLP 9");
        yield return Case("another seed", options => options with { Seed = 12 }, "Seed was 11, and is 12");
        yield return Case("another method", options => options with { Method = DistillationMethod.Kd(), Teacher = Teacher.Train(NetworkSpec.Mlp(8)) }, "Method was ");

        yield return Case("other weights to start from", options => options with { InitialWeights = InitialWeights.From(Other.Value.Model) }, "InitialWeights");

        static TestCaseData Case(string name, Func<DistillationOptions, DistillationOptions> change, string said) => new TestCaseData(change, said).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Changes))]
    public void Another_training_is_refused_and_the_checkpoints_stay(Func<DistillationOptions, DistillationOptions> change, string said)
    {
        var directory = NewDirectory();
        _context.Fit(In(directory), _view);
        var before = Contents(directory);
        Assert.That(() => _context.Fit(change(In(directory)), _view), Throws.InvalidOperationException.With.Message.StartsWith($"The checkpoints in '{directory}' are those of another training: ")
            .And.Message.Contains(said).And.Message.Contains("Checkpoints.WhenChanged"));
        Assert.That(Contents(directory), Is.EqualTo(before));
    }

    [Test]
    public void Other_rows_or_the_same_in_another_order_are_refused()
    {
        var directory = NewDirectory();
        _context.Fit(In(directory), _view);
        Assert.That(() => _context.Fit(In(directory), _context.Keyed(Rows.Points(seed: 6))), Throws.InvalidOperationException.With.Message.Contains("the 240 rows are others, or in another order"));
        Assert.That(() => _context.Fit(In(directory), _context.Keyed(Rows.Points().Reverse())), Throws.InvalidOperationException.With.Message.Contains("the 240 rows are others, or in another order"));
        Assert.That(() => _context.Fit(In(directory), _context.Keyed(Rows.Points(180))), Throws.InvalidOperationException.With.Message.Contains("there were 240 rows, and are 180"));
    }

    [Test]
    public void Another_teacher_is_refused()
    {
        var directory = NewDirectory();
        DistillationOptions With(Func<float[], float[]> says) => In(directory) with { Teacher = _context.Saying(_view, says), Method = DistillationMethod.Kd(), MinimumTeacherAccuracy = 0 };
        _context.Fit(With(RowsTeachers.Rule), _view);
        Assert.That(
            () => _context.Fit(With(features => [.. RowsTeachers.Rule(features).Reverse()]), _view),
            Throws.InvalidOperationException.With.Message.Contains($"answers otherwise than when the checkpoints in '{directory}").And.Message.Contains("were saved: its Logits differ by up to "));
    }

    [Test]
    public void Another_embedding_of_the_same_teacher_is_refused()
    {
        var directory = NewDirectory();
        using var network = NetworkSpec.Mlp(6).Build(new NetworkInput(InputShape.Vector(4)), 3, seed: 1);
        DistillationOptions With(float scale) => In(directory) with
        {
            Teacher = Teacher.FromModule(network, rows => Scaled(network.Forward(rows, ModelOutputs.Logits | ModelOutputs.Embedding), scale), classNames: Rows.Classes),
            Method = DistillationMethod.FromLoss("RKD", new CrossEntropyLoss() + new RkdLoss()),
            MinimumTeacherAccuracy = 0,
        };
        _context.Fit(With(1), _view);
        Assert.That(() => _context.Fit(With(2), _view), Throws.InvalidOperationException.With.Message.Contains("its Embedding differ by up to "));

        static NetworkOutput Scaled(NetworkOutput output, float scale) => new(output.Logits, output.Embedding.mul(scale));
    }

    [Test]
    public void Another_training_of_the_teacher_is_refused()
    {
        var directory = NewDirectory();
        DistillationOptions With(int epochs, Optimizer? optimizer = null) => In(directory) with { Teacher = Teacher.Train(NetworkSpec.Mlp(8), epochs, optimizer), Method = DistillationMethod.Kd() };
        _context.Fit(With(2), _view);
        Assert.That(() => _context.Fit(With(3), _view), Throws.InvalidOperationException.With.Message.Contains("The teacher's training was ").And.Message.Contains("epochs 2").And.Message.Contains("epochs 3"));
        Assert.That(() => _context.Fit(With(2, Optimizer.Sgd(0.1)), _view), Throws.InvalidOperationException.With.Message.Contains("The teacher's training was "));
    }

    [Test]
    public void Each_anchor_of_a_route_that_is_trained_has_its_own_checkpoints()
    {
        var directory = NewDirectory();
        Teacher Trained(int epochs) => Teacher.Train(NetworkSpec.Mlp(4 + epochs), epochs);
        var options = In(directory) with
        {
            Teacher = Route.FromTeachers(("early", Trained(1)), ("late", Trained(4)), ("both", Teacher.Ensemble(Trained(2), Trained(3)))),
            Method = DistillationMethod.Rco(),
            Optimizer = new InterruptedOptimizer(0.03),
        };
        var whole = _context.Fit(options with { CheckpointDirectory = null }, _view);
        foreach (var last in new[] { 20, 100, 200 })
            Assert.That(() => InterruptedOptimizer.Run(last, () => _context.Fit(options, _view)), Throws.TypeOf<InterruptedException>());
        Assert.That(_context.Fit(options, _view).Scores(_view), Is.EqualTo(whole.Scores(_view)));
        Assert.That(Checkpoint.Open(directory).Networks, Has.Count.EqualTo(5));
    }

    [Test]
    public void With_one_checkpoint_kept_a_damaged_one_does_not_cost_the_next()
    {
        var directory = NewDirectory();
        var options = In(directory) with { Optimizer = new InterruptedOptimizer(0.03) };
        Assert.That(() => InterruptedOptimizer.Run(40, () => _context.Fit(options, _view)), Throws.TypeOf<InterruptedException>());
        Damage(Directory.GetFiles(directory, "student-*.safetensors", SearchOption.AllDirectories).Max(StringComparer.Ordinal)!);
        var one = options with { Checkpoints = new CheckpointOptions { Interval = TimeSpan.Zero, Keep = 1 } };
        Assert.That(() => InterruptedOptimizer.Run(5, () => _context.Fit(one, _view)), Throws.TypeOf<InterruptedException>());
        Assert.That(Checkpoint.Open(directory).Student!.Steps, Is.GreaterThan(15));
        Assert.That(_context.Fit(one, _view).Scores(_view), Is.EqualTo(_context.Fit(options with { CheckpointDirectory = null }, _view).Scores(_view)));
    }

    [Test]
    public void The_same_settings_written_anew_continue_and_what_only_observes_may_change()
    {
        var directory = NewDirectory();
        var trained = _context.Fit(In(directory), _view);
        var progress = new RowsProgress();
        var again = _context.Fit(In(directory) with { Progress = progress, OnCancellation = CancellationBehavior.ReturnBest, Checkpoints = new CheckpointOptions { Keep = 5 } }, _view);
        Assert.That(again.Scores(_view), Is.EqualTo(trained.Scores(_view)));
        Assert.That(progress.Reports, Is.Empty, "nothing is trained again");
    }

    [Test]
    public void A_seed_that_was_drawn_is_that_of_the_training_that_continues()
    {
        var directory = NewDirectory();
        var first = Rows.Context(seed: 4).Fit(In(directory) with { Seed = null }, _view);
        var second = Rows.Context(seed: 5).Fit(In(directory) with { Seed = null }, _view);
        Assert.That((second.Model.Seed, second.Scores(_view)), Is.EqualTo((first.Model.Seed, first.Scores(_view))));
    }

    [Test]
    public void StartOver_trains_from_the_beginning()
    {
        var directory = NewDirectory();
        _context.Fit(In(directory), _view);
        var changed = In(directory, ChangedTraining.StartOver) with { BatchSize = 32 };
        var fresh = _context.Fit(changed with { CheckpointDirectory = null }, _view);
        var log = new RowsLog(_context);
        Assert.That(_context.Fit(changed, _view).Scores(_view), Is.EqualTo(fresh.Scores(_view)));
        Assert.That(log.Lines, Has.Some.Contains("those of another training (BatchSize was 16, and is 32), and are deleted; the training begins anew"));
    }

    [TestCase(ChangedTraining.StartOver)]
    [TestCase(ChangedTraining.WarmStart)]
    public void Another_training_replaces_the_checkpoints_of_a_route_in_a_folder_of_its_own(ChangedTraining whenChanged)
    {
        var (directory, anchors) = (NewDirectory(), NewDirectory());
        DistillationOptions Routed(int epochs, int batchSize, string? folder) => In(directory, whenChanged) with
        {
            Teacher = Route.Train(NetworkSpec.Mlp(6), every: 1, epochs, folder: folder),
            Method = DistillationMethod.Rco(),
            BatchSize = batchSize,
            MinimumTeacherAccuracy = 0,
            Optimizer = new InterruptedOptimizer(0.03),
        };
        _context.Fit(Routed(3, 16, anchors), _view);
        var changed = Routed(2, 32, anchors);
        // Killed while the new route is trained, after the old one was deleted.
        Assert.That(() => InterruptedOptimizer.Run(10, () => _context.Fit(changed, _view)), Throws.TypeOf<InterruptedException>());
        var replaced = _context.Fit(changed, _view);
        Assert.That(Directory.GetFiles(anchors).Select(Path.GetFileName), Is.EquivalentTo(new[] { "anchor-0001.weights", "anchor-0002.weights" }));
        if (whenChanged == ChangedTraining.StartOver)
            Assert.That(replaced.Scores(_view), Is.EqualTo(_context.Fit(Routed(2, 32, null) with { CheckpointDirectory = null }, _view).Scores(_view)));
    }

    [Test]
    public void A_training_that_cannot_begin_deletes_nothing()
    {
        var (directory, anchors, others) = (NewDirectory(), NewDirectory(), NewDirectory());
        DistillationOptions Routed(string folder) => In(directory, ChangedTraining.StartOver) with
        {
            Teacher = Route.Train(NetworkSpec.Mlp(6), every: 1, epochs: 3, folder: folder),
            Method = DistillationMethod.Rco(),
            MinimumTeacherAccuracy = 0,
        };
        _context.Fit(Routed(others) with { CheckpointDirectory = null }, _view);
        _context.Fit(Routed(anchors), _view);
        // Of a third training, which no one has said may be deleted.
        File.Copy(Path.Combine(others, "anchor-0003.weights"), Path.Combine(anchors, "anchor-0009.weights"));
        var before = (Contents(directory), Contents(anchors));
        Assert.That(() => _context.Fit(Routed(anchors) with { BatchSize = 32 }, _view), Throws.InvalidOperationException.With.Message.Contains("holds checkpoints of another run (anchor-0009.weights)"));
        Assert.That(
            () => _context.Fit(Routed(anchors) with { Epochs = 1, Method = DistillationMethod.Rco(schedule: RcoSchedule.OneStage) }, _view),
            Throws.InvalidOperationException);
        Assert.That((Contents(directory), Contents(anchors)), Is.EqualTo(before));
        File.Delete(Path.Combine(anchors, "anchor-0009.weights"));
        Assert.That(() => _context.Fit(Routed(anchors) with { Epochs = 1, Method = DistillationMethod.Rco(schedule: RcoSchedule.OneStage) }, _view), Throws.InvalidOperationException.With.Message.Contains("too short for 3 anchors"));
        Assert.That(_context.Fit(Routed(anchors), _view).Model.Warnings, Has.None.Contains("begins anew"), "the training that was there is still there");
    }

    [Test]
    public void A_route_in_one_stage_asks_its_anchors_for_the_rows_that_are_compared_and_not_for_all_once_more()
    {
        const int Compared = 256;
        var view = _context.Keyed(Rows.Points(900));
        var options = In(NewDirectory()) with
        {
            Teacher = Route.Train(NetworkSpec.Mlp(6), every: 1, epochs: 3),
            Method = DistillationMethod.Rco(schedule: RcoSchedule.OneStage),
            MinimumTeacherAccuracy = 0,
            Optimizer = new InterruptedOptimizer(0.03),
        };
        var without = CountAsked(() => _context.Fit(options with { CheckpointDirectory = null }, view));
        Assert.That(CountAsked(() => _context.Fit(options, view)) - without, Is.EqualTo((3 - 1) * Compared), "each but the last anchor, whose answers for all rows are there");

        static double CountAsked(Action fit)
        {
            using var listener = new ToyListener();
            fit();
            return listener.Values("distillation.teacher.rows").Sum();
        }
    }

    [Test]
    public void WarmStart_begins_with_the_weights_of_the_checkpoints_also_after_an_interruption()
    {
        var directory = NewDirectory();
        var first = _context.Fit(In(directory), _view);
        var changed = In(directory, ChangedTraining.WarmStart) with { Epochs = 2, BatchSize = 32, Optimizer = new InterruptedOptimizer(0.01) };
        var expected = _context.Fit(changed with { CheckpointDirectory = null, InitialWeights = InitialWeights.From(first.Model) }, _view);
        Assert.That(() => InterruptedOptimizer.Run(3, () => _context.Fit(changed, _view)), Throws.TypeOf<InterruptedException>());
        Assert.That(() => InterruptedOptimizer.Run(12, () => _context.Fit(changed, _view)), Throws.TypeOf<InterruptedException>());
        Assert.That(_context.Fit(changed, _view).Scores(_view), Is.EqualTo(expected.Scores(_view)));
    }

    [Test]
    public void WarmStart_of_another_network_says_so()
    {
        var directory = NewDirectory();
        _context.Fit(In(directory), _view);
        var before = Contents(directory);
        Assert.That(() => _context.Fit(In(directory, ChangedTraining.WarmStart) with { Student = NetworkSpec.Mlp(9) }, _view), Throws.InvalidOperationException
            .With.Message.StartsWith("A warm start needs the network of the checkpoints, a MLP 8").And.Message.Contains("StartOver"));
        foreach (var (path, bytes) in before)
            Assert.That(File.ReadAllBytes(path), Is.EqualTo(bytes), "nothing is lost");
        Assert.That(() => _context.Fit(In(directory, ChangedTraining.StartOver) with { Student = NetworkSpec.Mlp(9) }, _view), Throws.Nothing);
    }

    [Test]
    public void A_damaged_checkpoint_is_passed_over_for_the_one_before_it()
    {
        var directory = NewDirectory();
        var options = In(directory) with { Optimizer = new InterruptedOptimizer(0.03) };
        var whole = _context.Fit(options with { CheckpointDirectory = null }, _view);
        Assert.That(() => InterruptedOptimizer.Run(40, () => _context.Fit(options, _view)), Throws.TypeOf<InterruptedException>());
        var files = Directory.GetFiles(directory, "student-*.safetensors", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        Assert.That(files, Has.Length.EqualTo(2));
        Damage(files[^1]);
        var log = new RowsLog(_context);
        Assert.That(_context.Fit(options, _view).Scores(_view), Is.EqualTo(whole.Scores(_view)));
        Assert.That(log.Lines, Has.Some.Contains($"The checkpoint '{files[^1]}' is damaged.").And.Some.Contains("Training continues from the checkpoint before it."));
    }

    [Test]
    public void If_every_checkpoint_is_damaged_the_fit_fails_and_names_one()
    {
        var directory = NewDirectory();
        _context.Fit(In(directory), _view);
        var files = Directory.GetFiles(directory, "student-*.safetensors", SearchOption.AllDirectories);
        foreach (var file in files)
            Damage(file);
        Assert.That(() => _context.Fit(In(directory), _view), Throws.TypeOf<InvalidDataException>().With.Message.Contains("is damaged"));
        Assert.That(Directory.GetFiles(directory, "student-*.safetensors", SearchOption.AllDirectories), Is.EquivalentTo(files));
    }

    [Test]
    public void Another_format_is_refused_with_both_numbers()
    {
        var directory = NewDirectory();
        _context.Fit(In(directory), _view);
        var path = Path.Combine(directory, "training.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal));
        Assert.That(() => _context.Fit(In(directory), _view), Throws.TypeOf<InvalidDataException>().With.Message.Contains("has format 2, and this version of MlNetDistill reads format 1"));
        Assert.That(() => Checkpoint.Open(directory), Throws.TypeOf<InvalidDataException>().With.Message.Contains("has format 2"));
    }

    [Test]
    public void Two_trainings_in_one_directory_are_refused_while_the_first_runs_and_not_after_it()
    {
        var directory = NewDirectory();
        Exception? refused = null;
        var progress = new RowsProgress(_ => refused ??= Assert.Throws<InvalidOperationException>(() => _context.Fit(In(directory), _view)));
        _context.Fit(In(directory) with { Progress = progress }, _view);
        Assert.That(refused?.Message, Does.StartWith($"The checkpoint directory '{directory}' is used by another training (process {Environment.ProcessId} on {Environment.MachineName}, started "));
        Assert.That(() => _context.Fit(In(directory), _view), Throws.Nothing);
    }

    [Test]
    public void Checkpoints_without_a_description_are_refused()
    {
        var directory = NewDirectory();
        _context.Fit(In(directory), _view);
        File.Delete(Path.Combine(directory, "training.json"));
        Assert.That(() => _context.Fit(In(directory), _view), Throws.InvalidOperationException.With.Message.Contains("and no training.json that says of what"));
    }

    [Test]
    public void A_directory_that_cannot_be_created_is_named()
    {
        var file = _folder.File("a-file");
        File.WriteAllText(file, "");
        Assert.That(() => _context.Fit(In(Path.Combine(file, "inside")), _view), Throws.InvalidOperationException.With.Message.StartsWith($"The checkpoint directory '{Path.Combine(file, "inside")}' cannot be written: "));
    }

    [Test]
    public void A_directory_that_vanishes_costs_a_warning_and_not_the_training()
    {
        var directory = NewDirectory();
        var progress = new RowsProgress(epoch =>
        {
            if (epoch.Epoch == 2)
                Directory.Delete(directory, recursive: true);
        });
        var model = _context.Fit(In(directory) with { Progress = progress }, _view);
        Assert.That(model.Scores(_view), Is.EqualTo(_context.Fit(Rows.Quick(), _view).Scores(_view)));
        Assert.That(model.Model.Warnings, Has.Some.Contains("The checkpoint of step 30 could not be saved: ").And.Some.Contains("Training continues"));
    }

    [Test]
    public void As_many_checkpoints_are_kept_as_were_asked_for()
    {
        var directory = NewDirectory();
        _context.Fit(In(directory) with { Checkpoints = new CheckpointOptions { EveryEpochs = 1, Keep = 3 } }, _view);
        Assert.That(Directory.GetFiles(directory, "student-*.safetensors", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal), Is.EqualTo(new[]
        {
            "student-000000000060.safetensors", "student-000000000075.safetensors", "student-000000000090.safetensors",
        }));
    }

    [Test]
    public void A_search_has_a_folder_of_its_own() => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(In(NewDirectory()) with { Teacher = Teacher.Train(NetworkSpec.Mlp(8)), Method = DistillationMethod.Kd() }).Search(_view),
        Throws.InvalidOperationException.With.Message.Contains("SearchOptions.Folder"));

    [Test]
    public void Wrong_settings_are_named_all_at_once() => Assert.That(
        () => _context.Fit(In("") with { Checkpoints = new CheckpointOptions { Interval = TimeSpan.FromSeconds(-1), EveryEpochs = 0, Keep = 0 } }, _view),
        Throws.InstanceOf<ArgumentException>().With.Message.Contains("CheckpointDirectory").And.Message.Contains("Checkpoints.Interval must be at least 0").And.Message.Contains("Checkpoints.EveryEpochs")
            .And.Message.Contains("Checkpoints.Keep"));

    private static Dictionary<string, byte[]> Contents(string directory) => Directory.GetFiles(directory, "*", SearchOption.AllDirectories).ToDictionary(path => path, File.ReadAllBytes);

    private static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
