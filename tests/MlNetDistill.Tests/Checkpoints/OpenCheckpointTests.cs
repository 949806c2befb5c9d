using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Checkpoints;

/// <summary>A checkpoint shows its training and its student without rows, teacher or options.</summary>
public sealed class OpenCheckpointTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;
    private readonly ToyFolder _folder = new();

    public OpenCheckpointTests() => _view = _context.Keyed(Rows.Points());

    [TearDown]
    public void Remove() => _folder.Dispose();

    private DistillationOptions Options => Rows.Quick(Teacher.Train(NetworkSpec.Mlp(12), epochs: 2)) with
    {
        Optimizer = new InterruptedOptimizer(0.03),
        CheckpointDirectory = _folder.Path,
        Checkpoints = new CheckpointOptions { EveryEpochs = 1 },
    };

    [Test]
    public void The_student_of_a_finished_training_is_the_one_that_was_fitted()
    {
        var fitted = _context.Fit(Options, _view);
        var checkpoint = Checkpoint.Open(_folder.Path);
        var student = checkpoint.CreateStudent(_context);
        Assert.That(student.Scores(_view), Is.EqualTo(fitted.Scores(_view)));
        Assert.That(ModelScores.ReadNames(student.Transform(_view), "PredictedLabel"), Is.EqualTo(ModelScores.ReadNames(fitted.Transform(_view), "PredictedLabel")));
        Assert.That((checkpoint.Method, checkpoint.Seed, checkpoint.Rows, checkpoint.Student!.IsFinished, checkpoint.Student.Epochs, checkpoint.Student.Steps), Is.EqualTo(("KD", 11, 240L, true, 6, 90L)));
        Assert.That(checkpoint.Student.History.Select(epoch => epoch.Figures), Is.EqualTo(fitted.Model.History.Select(epoch => epoch.Figures)));
        Assert.That(checkpoint.Networks.Select(network => network.Role), Is.EqualTo(new[] { "teacher", "student" }));
        Assert.That($"{checkpoint}", Does.Contain("KD, seed 11, student MLP 8").And.Contain("teacher: trained, 2 epochs, 30 steps").And.Contain("student: trained, 6 epochs, 90 steps"));
    }

    [Test]
    public void The_student_in_the_middle_of_a_training_is_that_of_the_last_checkpoint_and_can_be_saved()
    {
        Assert.That(() => InterruptedOptimizer.Run(30 + 40, () => _context.Fit(Options, _view)), Throws.TypeOf<InterruptedException>());
        var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.That((checkpoint.Student!.IsFinished, checkpoint.Student.Stage, checkpoint.Student.Epochs, checkpoint.Student.Steps), Is.EqualTo((false, "KD", 2, 30L)));
        var student = checkpoint.CreateStudent(_context);
        using var source = new CancellationTokenSource();
        var cancelled = _context.Fit(
            Options with
            {
                CheckpointDirectory = null,
                CancellationToken = source.Token,
                OnCancellation = CancellationBehavior.ReturnBest,
                Progress = new RowsProgress(epoch =>
                {
                    if (epoch is { Stage: "KD", Epoch: 2 })
                        source.Cancel();
                }),
            },
            _view);
        Assert.That(student.Scores(_view), Is.EqualTo(cancelled.Scores(_view)));
        Assert.That(student.Model.Notes, Has.Some.StartsWith("The student was read from a checkpoint in the middle of its training: student: in stage 'KD', 2 epochs, 30 steps"));
        Assert.That(new MLContext().Reloaded(student, _view.Schema).Scores(_view), Is.EqualTo(student.Scores(_view)));
    }

    [Test]
    public void With_held_out_rows_it_has_the_weights_of_its_best_epoch()
    {
        var rows = Rows.Points();
        foreach (var row in rows.Take(80))
            row.Held = true;
        var view = _context.Keyed(rows);
        // At this rate, later epochs are worse.
        var options = Options with { ValidationColumnName = "Held", Optimizer = new InterruptedOptimizer(1.2), Epochs = 12, Schedule = LearningRateSchedule.Constant() };
        Assert.That(() => InterruptedOptimizer.Run(20 + 105, () => _context.Fit(options, view)), Throws.TypeOf<InterruptedException>());
        var checkpoint = Checkpoint.Open(_folder.Path);
        var best = checkpoint.Student!.History.Max(epoch => epoch.Validation!.Quality);
        Assert.That(checkpoint.Student.History[^1].Validation!.Quality, Is.LessThan(best), "the last epoch is not the best");
        Assert.That(checkpoint.CreateStudent(_context).AccuracyOn([.. rows.Take(80)], _context.Keyed(rows.Take(80))), Is.EqualTo(best).Within(1e-9));
    }

    [Test]
    public void While_the_teacher_is_trained_there_is_no_student_yet()
    {
        Assert.That(() => InterruptedOptimizer.Run(20, () => _context.Fit(Options, _view)), Throws.TypeOf<InterruptedException>());
        var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.That(checkpoint.Student, Is.Null);
        Assert.That(() => checkpoint.CreateStudent(_context), Throws.InvalidOperationException.With.Message.Contains("has no checkpoint yet; the teacher is being trained"));
    }

    [Test]
    public void It_can_be_opened_while_the_training_runs()
    {
        var epochs = new List<int?>();
        _context.Fit(Options with { Progress = new RowsProgress(_ => epochs.Add(Checkpoint.Open(_folder.Path).Student?.Epochs)) }, _view);
        Assert.That(epochs, Is.EqualTo(new int?[] { null, null, null, 1, 2, 3, 4, 5 }));
    }

    [Test]
    public void Another_specification_is_refused()
    {
        _context.Fit(Options, _view);
        Assert.That(() => Checkpoint.Open(_folder.Path).CreateStudent(_context, NetworkSpec.Mlp(9)), Throws.InvalidOperationException.With.Message.Contains("given was a MLP 9"));
    }

    [Test]
    public void A_directory_without_a_training_is_refused() => Assert.That(
        () => Checkpoint.Open(_folder.Path), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(
            $"'{_folder.Path}' has no training.json, so it is not the checkpoint directory of a training. Give the directory in CheckpointDirectory."));
}
