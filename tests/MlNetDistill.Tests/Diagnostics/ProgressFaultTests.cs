using MlNetDistill.Diagnostics;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Diagnostics;

/// <summary>What cannot be written stops no training, and does not pass unseen.</summary>
public sealed class ProgressFaultTests
{
    private ToyFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void A_file_that_cannot_be_opened_is_told_at_once()
    {
        File.WriteAllText(_folder.File("file"), "");
        Assert.Multiple(() =>
        {
            Assert.That(() => new JsonLinesProgress(Path.Combine(_folder.Path, "missing", "progress.jsonl")), Throws.InstanceOf<IOException>());
            Assert.That(() => new TensorBoardProgress(_folder.File("file")), Throws.InstanceOf<IOException>());
        });
    }

    [Test]
    public void A_full_disk_does_not_stop_a_training_and_is_told_for_each_report()
    {
        if (!File.Exists("/dev/full"))
            Assert.Ignore("Only Linux has a device that is always full.");
        var context = Rows.Context();
        var log = new RowsLog(context);
        var faults = new List<Exception>();
        using var progress = new JsonLinesProgress("/dev/full", faults.Add);
        var model = context.Fit(Rows.Quick() with { Progress = progress }, context.Keyed(Rows.Points())).Model;
        Assert.Multiple(() =>
        {
            Assert.That(model.History, Has.Count.EqualTo(6));
            Assert.That(faults, Has.Count.EqualTo(6).And.All.InstanceOf<IOException>());
            Assert.That(progress.LastError, Is.SameAs(faults[^1]));
            Assert.That(faults[0].Message, Does.StartWith("'/dev/full' cannot be written: ").And.Contain("0 bytes of the progress of the training had been written."));
            Assert.That(log.Warnings.Where(w => w.Contains("progress")), Has.One.StartsWith("A report of the progress was not written: '/dev/full' cannot be written: "));
        });
    }

    [Test]
    public void Errors_of_several_sinks_and_of_earlier_trainings_are_told_once()
    {
        if (!File.Exists("/dev/full"))
            Assert.Ignore("Only Linux has a device that is always full.");
        var context = Rows.Context();
        using var full = new JsonLinesProgress("/dev/full");
        using var other = new JsonLinesProgress("/dev/full");
        full.Report(ToyProgress.Epoch(1));
        using var whole = new JsonLinesProgress(_folder.File("progress.jsonl"));
        var log = new RowsLog(context);
        context.Fit(Rows.Quick() with { Progress = ProgressSinks.All(full, ProgressSinks.All(whole, other)) }, context.Keyed(Rows.Points()));
        Assert.Multiple(() =>
        {
            Assert.That(log.Warnings.Where(w => w.StartsWith("A report of the progress", StringComparison.Ordinal)), Has.Exactly(1).Items);
            Assert.That(File.ReadAllLines(_folder.File("progress.jsonl")), Has.Length.EqualTo(6));
        });
        var again = new RowsLog(context);
        context.Fit(Rows.Quick() with { Progress = whole }, context.Keyed(Rows.Points()));
        Assert.That(again.Warnings, Has.None.Contains("progress"));
    }

    [Test]
    public void What_progress_throws_cost_the_weights()
    {
        var context = Rows.Context();
        var view = context.Keyed(Rows.Points());
        var expected = context.Fit(Rows.Quick(), view).Scores(view);
        var log = new RowsLog(context);
        var model = context.Fit(Rows.Quick() with { Progress = new RowsProgress(_ => throw new TimeoutException("No answer.")) }, view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Scores(view), Is.EqualTo(expected));
            Assert.That(model.Model.History, Has.Count.EqualTo(6));
            Assert.That(log.Warnings.Where(w => w.Contains("Progress")), Is.EqualTo(new[]
            {
                "Progress threw TimeoutException at the report of stage 'labels only', epoch 1: No answer. Training continues. To stop it, cancel the CancellationToken of the options.",
            }));
        });
    }

    [Test]
    public void What_the_callback_of_a_sink_throws_is_logged()
    {
        var context = Rows.Context();
        var log = new RowsLog(context);
        var progress = new JsonLinesProgress(_folder.File("progress.jsonl"), fault => throw new InvalidOperationException("Not written.", fault));
        progress.Dispose();
        context.Fit(Rows.Quick() with { Progress = progress }, context.Keyed(Rows.Points()));
        Assert.That(log.Warnings, Has.One.StartsWith("Progress threw InvalidOperationException at the report of stage 'labels only', epoch 1: Not written."));
    }

    [Test]
    public void All_sinks_are_told_before_what_one_throws_is_thrown()
    {
        var (before, after) = (new RowsProgress(), new RowsProgress());
        var throwing = new RowsProgress(_ => throw new InvalidOperationException("Stop."));
        var all = ProgressSinks.All(before, throwing, after);
        Assert.Multiple(() =>
        {
            Assert.That(() => all.Report(ToyProgress.Epoch(1)), Throws.InvalidOperationException.With.Message.EqualTo("Stop."));
            Assert.That(before.Reports, Has.Count.EqualTo(1));
            Assert.That(after.Reports, Has.Count.EqualTo(1));
        });
    }

    [Test]
    public void A_sink_that_is_null_is_named() => Assert.That(
        () => ProgressSinks.All(new RowsProgress(), null!), Throws.ArgumentException.With.Message.StartsWith("Sink 1 of 2 is null. Leave it out."));
}
