using System.Text;
using MlNetDistill.Diagnostics;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Diagnostics;

public sealed class TensorBoardProgressTests
{
    private ToyFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    /// <summary>Of RFC 3720, B.4, and the usual check value: the reader is no use if its own checksum is wrong.</summary>
    [TestCase("123456789", 0xe3069283)]
    [TestCase("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0x8a9136aa)]
    public void The_tests_own_checksum_is_the_standard_one(string text, uint crc) => Assert.That(ToyEvents.Crc(Encoding.ASCII.GetBytes(text)), Is.EqualTo(crc));

    [Test]
    public void The_file_begins_with_its_version()
    {
        using var progress = new TensorBoardProgress(_folder.Path);
        var events = ToyEvents.In(_folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(events.Single().FileVersion, Is.EqualTo("brain.Event:2"));
            Assert.That(DateTimeOffset.FromUnixTimeMilliseconds((long)(1000 * events.Single().WallTime)), Is.EqualTo(DateTimeOffset.UtcNow).Within(1).Minutes);
        });
    }

    [Test]
    public void Every_value_of_an_epoch_is_a_scalar_of_its_step()
    {
        using var progress = new TensorBoardProgress(_folder.Path);
        progress.Report(ToyProgress.Epoch(1, accuracy: 0.75, loss: 0.9));
        progress.Report(ToyProgress.Epoch(2, accuracy: 0.5, loss: 0.8));
        var events = ToyEvents.In(_folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(events.Scalar("loss/kd"), Is.EqualTo(new[] { (1L, 0.5f), (2L, 0.25f) }));
            Assert.That(events.Scalar("loss/total"), Is.EqualTo(new[] { (1L, 0.25f), (2L, 0.125f) }));
            Assert.That(events.Scalar("learning_rate"), Is.EqualTo(new[] { (1L, 0.01f), (2L, 0.005f) }));
            Assert.That(events.Scalar("validation/accuracy"), Is.EqualTo(new[] { (1L, 0.75f), (2L, 0.5f) }));
            Assert.That(events.Scalar("validation/loss"), Is.EqualTo(new[] { (1L, 0.9f), (2L, 0.8f) }));
            Assert.That(events.Scalar("rows_per_second"), Is.EqualTo(new[] { (1L, 1000f), (2L, 2000f) }));
        });
    }

    [Test]
    public void What_is_measured_beside_the_losses_and_what_goes_wrong_are_curves_too()
    {
        using var progress = new TensorBoardProgress(_folder.Path);
        progress.Report(ToyProgress.Epoch(1));
        progress.Report(ToyProgress.Epoch(2).Measured());
        var events = ToyEvents.In(_folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(events.Scalar("gradient_norm/mean"), Is.EqualTo(new[] { (2L, 0.5f) }));
            Assert.That(events.Scalar("gradient_norm/largest"), Is.EqualTo(new[] { (2L, 1.5f) }));
            Assert.That(events.Scalar("largest_logit"), Is.EqualTo(new[] { (2L, 4.25f) }));
            Assert.That(events.Scalar("skipped_batches"), Is.EqualTo(new[] { (2L, 2f) }));
            Assert.That(events.Scalar("times_gone_back"), Is.EqualTo(new[] { (2L, 1f) }));
        });
    }

    [Test]
    public void Without_held_out_rows_there_are_no_validation_curves()
    {
        using var progress = new TensorBoardProgress(_folder.Path);
        progress.Report(ToyProgress.Epoch(1));
        Assert.That(ToyEvents.In(_folder.Path).SelectMany(e => e.Summary?.Value.Select(v => v.Tag) ?? []), Has.None.StartsWith("validation"));
    }

    [Test]
    public void Steps_go_on_over_stages_and_each_stage_is_named_once()
    {
        using var progress = new TensorBoardProgress(_folder.Path);
        foreach (var stage in new[] { "anchor 1", "anchor 2" })
        {
            progress.Report(ToyProgress.Epoch(1, stage));
            progress.Report(ToyProgress.Epoch(2, stage));
        }

        var events = ToyEvents.In(_folder.Path);
        var texts = events.Where(e => e.Summary is not null)
            .SelectMany(e => e.Summary.Value.Where(v => v.Tag == "stage").Select(v => (e.Step, Text: v.Tensor.StringVal.Single().ToStringUtf8())));
        Assert.Multiple(() =>
        {
            Assert.That(events.Scalar("loss/kd").Select(v => v.Step), Is.EqualTo(new[] { 1, 2, 3, 4 }));
            Assert.That(texts, Is.EqualTo(new[] { (1L, "anchor 1"), (3L, "anchor 2") }));
        });
    }

    [Test]
    public void Reports_from_many_threads_are_whole()
    {
        using var progress = new TensorBoardProgress(_folder.Path);
        Parallel.For(0, 500, _ => progress.Report(ToyProgress.Epoch(1)));
        var events = ToyEvents.In(_folder.Path);
        Assert.That(events.Scalar("loss/kd").Select(v => v.Step), Is.EqualTo(Enumerable.Range(1, 500)));
    }

    [Test]
    public void Two_runs_into_one_folder_are_two_files()
    {
        using var first = new TensorBoardProgress(_folder.Path);
        using var second = new TensorBoardProgress(_folder.Path);
        Assert.That(_folder.Entries, Has.Length.EqualTo(2));
    }

    [Test]
    public void A_training_writes_all_its_epochs()
    {
        var context = Rows.Context();
        var view = context.Keyed(Rows.Points());
        using (var progress = new TensorBoardProgress(Path.Combine(_folder.Path, "run", "1")))
        {
            var model = context.Fit(Rows.Quick() with { Progress = progress, ValidationFraction = 0.2 }, view).Model;
            var events = ToyEvents.In(Path.Combine(_folder.Path, "run", "1"));
            Assert.That(events.Scalar("loss/crossEntropy").Select(v => v.Value), Is.EqualTo(model.History.Select(h => (float)h.Losses["crossEntropy"])));
            Assert.That(events.Scalar("validation/accuracy").Select(v => v.Value), Is.EqualTo(model.History.Select(h => (float)h.Validation!.Quality)));
            Assert.That(progress.LastError, Is.Null);
        }
    }
}
