using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Tests;

/// <summary>A training whose loss is far above that of an untrained student.</summary>
public sealed class DivergenceTests
{
    /// <summary>What an untrained student loses is the first loss: of the epoch that is trained again, not of the one that was not finite.</summary>
    [Test]
    public void Going_back_from_the_first_epoch_forgets_its_first_loss()
    {
        using var set = Toy.Clouds(rows: 48);
        using var network = Runs.Student(NetworkSpec.Mlp(6), set);
        var (step, warnings) = (0, new List<string>());
        // The second epoch loses a hundred times what the first did when it was trained again: training diverges, unless a million is what an untrained student loses.
        var loss = new ScaledLoss(() => ++step switch { 1 => 1e6, 2 => double.NaN, <= 2 + FaultyRun.BatchesPerEpoch => 1, _ => 100 });
        Runs.Train(network, set, Runs.Stage(2, loss, batchSize: 8, optimizer: Optimizer.Sgd(1e-9, 0, nesterov: false, 0)), settings: new LoopSettings
        {
            OnNonFinite = NonFiniteHandling.GoBack(1),
            Warn = warnings.Add,
        });
        Assert.That(warnings, Has.Count.EqualTo(2));
        Assert.That(warnings[1], Does.StartWith("Stage 'stage', epoch 2: the training loss is ").And.Contain("training diverges"));
    }

    /// <summary>The first loss of a later stage, or of a student that was trained before, is no measure of what an untrained student loses.</summary>
    [TestCase(1, false, true)]
    [TestCase(2, false, false)]
    [TestCase(1, true, false)]
    public void A_loss_that_rises_is_divergence_in_the_first_stage_of_an_untrained_student_only(int stages, bool startsTrained, bool diverges)
    {
        using var set = Toy.Clouds(rows: 48);
        using var network = Runs.Student(NetworkSpec.Mlp(6), set);
        using var all = DataSplit.All(set);
        var (step, warnings) = (0, new List<string>());
        // The last epoch loses five times what the first batch of its stage did, and less than the stated loss of an untrained student.
        var loss = new ScaledLoss(() => step++ < ((2 * stages) - 1) * FaultyRun.BatchesPerEpoch ? 0.1 : 0.5, Math.Log(3));
        var stage = Runs.Stage(2, loss, batchSize: 8, optimizer: Optimizer.Sgd(1e-9, 0, nesterov: false, 0));
        using var loop = new TrainingLoop(network, new MulticlassTask(network.LogitCount), set, all, new Seeds(1), "student", new LoopSettings { StartsTrained = startsTrained, Warn = warnings.Add });
        loop.Run([.. Enumerable.Repeat(stage, stages)]);
        Assert.That(warnings.Count(warning => warning.Contains("training diverges", StringComparison.Ordinal)), Is.EqualTo(diverges ? 1 : 0));
    }
}
