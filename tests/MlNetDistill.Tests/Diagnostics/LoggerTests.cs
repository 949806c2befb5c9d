using Microsoft.Extensions.Logging;
using Microsoft.ML;
using MlNetDistill.Diagnostics;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Diagnostics;

public sealed class LoggerTests
{
    [Test]
    public void Epochs_are_messages_and_so_is_the_beginning_of_a_stage()
    {
        var logger = new ToyLogger();
        var progress = new LoggerProgress(logger);
        progress.Report(ToyProgress.Epoch(1, "anchor 1"));
        progress.Report(ToyProgress.Epoch(2, "anchor 1", 0.75, 0.5));
        progress.Report(ToyProgress.Epoch(1, "anchor 2"));
        Assert.Multiple(() =>
        {
            Assert.That(logger.Lines.Select(line => line.Text), Is.EqualTo(new[]
            {
                "Stage anchor 1 started, epochs: 3",
                "anchor 1 epoch 1/3: kd 0.5000, total 0.2500, rate 0.01, 1,000 rows/s, 00:00:02 left",
                "anchor 1 epoch 2/3: kd 0.2500, total 0.1250, validation accuracy 0.7500, loss 0.5000, rate 0.005, 2,000 rows/s, 00:00:01 left",
                "Stage anchor 2 started, epochs: 3",
                "anchor 2 epoch 1/3: kd 0.5000, total 0.2500, rate 0.01, 1,000 rows/s, 00:00:02 left",
            }));
            Assert.That(logger.Lines.Select(line => line.Level), Is.All.EqualTo(LogLevel.Information));
        });
    }

    [Test]
    public void What_is_measured_is_a_message_and_skipped_batches_are_a_warning()
    {
        var logger = new ToyLogger();
        new LoggerProgress(logger).Report(ToyProgress.Epoch(2).Measured());
        Assert.That(logger.Lines.TakeLast(2).Select(line => (line.Level, line.Text)), Is.EqualTo(new[]
        {
            (LogLevel.Information, "KD epoch 2: gradient norm 0.5, at most 1.5, logits up to 4.25"),
            (LogLevel.Warning, "KD epoch 2: 2 batches skipped, because losses or gradients were NaN or infinite"),
        }));
    }

    [Test]
    public void The_values_of_a_message_are_structured()
    {
        var logger = new ToyLogger();
        new LoggerProgress(logger).Report(ToyProgress.Epoch(2, accuracy: 0.75, loss: 0.5));
        var values = logger.Lines[^1].Values;
        Assert.Multiple(() =>
        {
            Assert.That(values["Stage"], Is.EqualTo("KD"));
            Assert.That(values["Epoch"], Is.EqualTo(2));
            Assert.That(values["Epochs"], Is.EqualTo(3));
            Assert.That(values["ValidationMeasure"], Is.EqualTo("accuracy"));
            Assert.That(values["ValidationQuality"], Is.EqualTo(0.75));
            Assert.That(values["ValidationLoss"], Is.EqualTo(0.5));
            Assert.That(values["LearningRate"], Is.EqualTo(0.005));
            Assert.That(values["RowsPerSecond"], Is.EqualTo(2000.0));
            Assert.That(values["TimeLeft"], Is.EqualTo(TimeSpan.FromSeconds(1)));
        });
    }

    [Test]
    public void A_logger_that_throws_stops_no_training()
    {
        var context = Rows.Context();
        var progress = new LoggerProgress(new ToyLogger(() => true));
        context.Fit(Rows.Quick() with { Progress = progress }, context.Keyed(Rows.Points()));
        Assert.That(progress.LastError, Is.InstanceOf<InvalidOperationException>().With.Message.EqualTo("The logger is down."));
    }

    [Test]
    public void Messages_of_a_context_reach_the_logger_with_source_kind_and_level()
    {
        var context = Rows.Context();
        var logger = new ToyLogger();
        var view = context.Keyed(Rows.Points());
        using (context.LogTo(logger))
            context.Fit(Rows.Quick(), view);
        var line = logger.Lines.Single(l => l.Text.Contains("Training the student"));
        Assert.Multiple(() =>
        {
            Assert.That(line.Level, Is.EqualTo(LogLevel.Information));
            Assert.That(line.Text, Does.EndWith("Distillation: Training the student: MLP 8, 67 parameters, on cpu."));
            Assert.That(line.Values["Source"], Does.Contain("DistillationTrainer"));
            Assert.That($"{line.Values["Kind"]}", Is.EqualTo("Info"));
            Assert.That(line.Values["Message"], Is.EqualTo("Training the student: MLP 8, 67 parameters, on cpu."));
            Assert.That(logger.Lines.Select(l => l.Level).Distinct(), Does.Contain(LogLevel.Trace));
        });
    }

    [Test]
    public void After_disposing_no_more_messages_come()
    {
        var context = Rows.Context();
        var logger = new ToyLogger();
        context.LogTo(logger).Dispose();
        context.Fit(Rows.Quick(), context.Keyed(Rows.Points()));
        Assert.That(logger.Lines, Is.Empty);
    }
}
