using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class ProgressTests
{
    [Test]
    public void Every_epoch_reports_every_named_loss_and_their_weighted_sum()
    {
        using var set = Toy.Clouds();
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 9);
        using var cached = Runs.Cached(teacher, set);
        using var network = Runs.Student(NetworkSpec.Mlp(8), set);
        var loss = (0.3 * new CrossEntropyLoss()) + (0.5 * new KdLoss(1)) + (0.2 * new KdLoss(4));

        var (reports, _) = Runs.Train(network, set, Runs.Stage(3, loss, cached, name: "KD"));

        Assert.That(reports.Select(r => (r.Stage, r.Epoch, r.Epochs)), Is.EqualTo(new[] { ("KD", 1, 3), ("KD", 2, 3), ("KD", 3, 3) }));
        foreach (var losses in reports.Select(r => r.Losses))
        {
            Assert.That(losses.Keys, Is.EqualTo(new[] { "crossEntropy", "kd", "kd2", "total" }));
            var total = (0.3 * losses["crossEntropy"]) + (0.5 * losses["kd"]) + (0.2 * losses["kd2"]);
            Assert.That(losses["total"], Is.EqualTo(total).Within(1e-12));
        }

        Assert.That(reports[^1].Losses["total"], Is.LessThan(reports[0].Losses["total"]));
        Assert.That(reports.Select(r => r.Validation?.Quality), Is.All.Null);
        Assert.That(reports.Select(r => r.RowsPerSecond), Is.All.GreaterThan(0));
        Assert.That(reports[^1].TimeLeft, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void A_loss_is_the_mean_over_the_rows_of_the_epoch()
    {
        // At a rate of almost 0 the student stands still, so the epoch's mean is its loss over the rows.
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(rows: 64);
        using var network = Runs.Student(NetworkSpec.Mlp(8), set);
        var (reports, _) = Runs.Train(network, set, Runs.Stage(1, optimizer: Optimizer.Sgd(1e-20, 0, false, 0)));
        Assert.That(reports[0].Losses.Keys, Is.EqualTo(new[] { "crossEntropy" }));
        Assert.That(reports[0].Losses["crossEntropy"], Is.EqualTo(Runs.Judge(network, set).Loss).Within(1e-6));
    }

    [Test]
    public void A_term_of_weight_zero_is_reported_and_not_learnt()
    {
        using var set = Toy.Clouds();
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 9);
        using var cached = Runs.Cached(teacher, set);
        using var one = Runs.Student(NetworkSpec.Mlp(8), set);
        using var other = Runs.Student(NetworkSpec.Mlp(8), set);

        var (reports, _) = Runs.Train(one, set, Runs.Stage(2, (0 * new CrossEntropyLoss()) + (1 * new KdLoss(4)), cached));
        Runs.Train(other, set, Runs.Stage(2, new KdLoss(4), cached));

        Assert.That(reports[0].Losses["crossEntropy"], Is.GreaterThan(0));
        Assert.That(Runs.State(one), Is.EqualTo(Runs.State(other)));
    }

    [Test]
    public void The_rate_is_that_of_the_last_step_of_the_epoch()
    {
        using var set = Toy.Clouds(rows: 64);
        using var network = Runs.Student(NetworkSpec.Mlp(8), set);
        var schedule = LearningRateSchedule.Cosine();
        var (reports, _) = Runs.Train(network, set, Runs.Stage(3, optimizer: Optimizer.Sgd(0.2), schedule: schedule));
        Assert.That(reports.Select(r => r.LearningRate), Is.EqualTo(new[] { 3, 7, 11 }.Select(s => 0.2 * schedule.FactorAt(s, 12, 4))).Within(1e-15));
    }

    [Test]
    public void Held_out_rows_are_scored_after_every_epoch()
    {
        using var set = Toy.Clouds(rows: 80);
        using var split = DataSplit.ByMask(set, tensor(Enumerable.Range(0, 80).Select(i => i % 4 == 0).ToArray()));
        using var network = Runs.Student(NetworkSpec.Mlp(16), set);
        var (reports, _) = Runs.Train(network, set, Runs.Stage(6), split: split);
        Assert.That(reports.Select(r => r.Validation!.Quality), Is.All.InRange(0, 1));
        Assert.That(reports[^1].Validation?.Quality, Is.GreaterThan(0.95));
        Assert.That(reports[^1].Validation?.Loss, Is.LessThan(reports[0].Validation!.Loss));
    }

    [Test]
    public void A_report_reads_as_one_line()
    {
        var losses = new Dictionary<string, double> { ["crossEntropy"] = 0.5, ["total"] = 0.25 };
        var progress = new TrainingProgress("KD", 2, 10, losses, 0.05, new("accuracy", 0.9, 0.3), 1234.4, TimeSpan.FromSeconds(65), TimeSpan.FromSeconds(20));
        Assert.That(progress.ToString(), Is.EqualTo(
            "KD epoch 2/10: crossEntropy 0.5000, total 0.2500, validation accuracy 0.9000, rate 0.05, 1,234 rows/s, 00:01:05 left"));
    }
}
