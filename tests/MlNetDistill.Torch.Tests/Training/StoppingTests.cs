using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Early stopping, cancellation and the best epoch.</summary>
public sealed class StoppingTests
{
    [Test]
    public void Without_improvement_training_stops_and_the_best_epoch_is_restored()
    {
        using var harm = new HarmfulTraining();
        var states = new List<double[]>();
        var settings = new LoopSettings { EarlyStopping = new EarlyStopping(Patience: 3), Report = _ => states.Add(Runs.State(harm.Network)) };

        var (reports, cancelled) = harm.Train(50, settings);

        Assert.That(reports, Has.Count.EqualTo(1 + 3), "the first epoch and the patience");
        Assert.That(reports[^1].Validation?.Loss, Is.GreaterThan(reports[0].Validation!.Loss), "training did harm");
        Assert.That(Runs.State(harm.Network), Is.EqualTo(states[0]).And.Not.EqualTo(states[^1]));
        Assert.That(cancelled, Is.False);
    }

    [Test]
    public void Without_early_stopping_all_epochs_run_and_the_best_one_is_kept()
    {
        using var harm = new HarmfulTraining();
        var states = new List<double[]>();
        var (reports, _) = harm.Train(5, new LoopSettings { Report = _ => states.Add(Runs.State(harm.Network)) });
        Assert.That(reports, Has.Count.EqualTo(5));
        Assert.That(Runs.State(harm.Network), Is.EqualTo(states[0]));
    }

    [Test]
    public void Gains_below_the_minimum_do_not_count_as_improvement_but_their_weights_do()
    {
        using var set = Toy.Clouds(4);
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        using var best = new BestEpoch();
        using var stage = new StageState { Name = "stage" };
        foreach (var share in new[] { 0.500, 0.550, 0.540 })
        {
            stage.Epoch++;
            using (no_grad())
                network.Head.Weight.fill_(stage.Epoch);
            best.KeepIfBetter(new ValidationResult("accuracy", share, 1), network);
            stage.RecordQuality(share, minimumImprovement: 0.1);
        }

        Assert.That(stage.LastImprovement, Is.EqualTo(1));
        best.Restore(network);
        Assert.That(Near.Values(network.Head.Weight), Is.All.EqualTo(2));
    }

    [Test]
    public void Of_equal_accuracies_the_lower_loss_wins()
    {
        using var set = Toy.Clouds(4);
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        using var best = new BestEpoch();
        foreach (var (epoch, loss) in new[] { (1, 0.5), (2, 0.3), (3, 0.4) })
        {
            using (no_grad())
                network.Head.Weight.fill_(epoch);
            best.KeepIfBetter(new ValidationResult("accuracy", 0.9, loss), network);
        }

        best.Restore(network);
        Assert.That(Near.Values(network.Head.Weight), Is.All.EqualTo(2));
    }

    [Test]
    public void Cancellation_throws_where_asked_to()
    {
        using var cancel = new CancellationTokenSource();
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        var settings = new LoopSettings
        {
            CancellationToken = cancel.Token,
            OnCancellation = CancellationBehavior.Throw,
            Report = _ => cancel.Cancel(),
        };
        var thrown = Assert.Throws<OperationCanceledException>(() => Runs.Train(network, set, Runs.Stage(100), settings: settings));
        Assert.That(thrown!.CancellationToken, Is.EqualTo(cancel.Token));
    }

    [Test]
    public void Cancellation_returns_the_best_epoch_so_far_where_asked_to()
    {
        using var cancel = new CancellationTokenSource();
        using var harm = new HarmfulTraining();
        var states = new List<double[]>();
        void Report(TrainingProgress progress)
        {
            states.Add(Runs.State(harm.Network));
            if (progress.Epoch == 3)
                cancel.Cancel();
        }

        var settings = new LoopSettings { CancellationToken = cancel.Token, OnCancellation = CancellationBehavior.ReturnBest, Report = Report };
        var (reports, cancelled) = harm.Train(100, settings);

        Assert.That(cancelled, Is.True);
        Assert.That(reports, Has.Count.EqualTo(3));
        Assert.That(Runs.State(harm.Network), Is.EqualTo(states[0]));
        Assert.That(harm.Network.training, Is.False);
    }

    [Test]
    public void Cancellation_before_the_first_step_throws_as_there_is_nothing_to_return()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        var settings = new LoopSettings { CancellationToken = new CancellationToken(canceled: true), OnCancellation = CancellationBehavior.ReturnBest };
        Assert.Throws<OperationCanceledException>(() => Runs.Train(network, set, Runs.Stage(3), settings: settings));
    }

    [Test]
    public void A_cancelled_run_starts_no_further_stage()
    {
        using var cancel = new CancellationTokenSource();
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        using var split = DataSplit.All(set);
        var seen = new List<string>();
        var settings = new LoopSettings
        {
            CancellationToken = cancel.Token,
            OnCancellation = CancellationBehavior.ReturnBest,
            Report = p => seen.Add(p.Stage),
        };
        IEnumerable<Stage> Stages()
        {
            yield return Runs.Stage(1, name: "first");
            cancel.Cancel();
            yield return Runs.Stage(1, name: "second");
            yield return Runs.Stage(1, name: "third");
        }

        new TrainingLoop(network, new MulticlassTask(3), set, split, new Seeds(1), "student", settings).Run(Stages());
        Assert.That(seen, Is.EqualTo(new[] { "first" }));
    }

    [Test]
    public void Early_stopping_settings_out_of_range_are_faults()
    {
        Assert.That(new EarlyStopping(0, 1).Validate(), Is.EqualTo(new[]
        {
            "EarlyStopping.Patience must be at least 1; was 0.",
            "EarlyStopping.MinimumImprovement must be in [0, 1); was 1.",
        }));
        Assert.That(new EarlyStopping().Validate(), Is.Empty);
    }

    /// <summary>A student that knows the right labels is trained on wrong ones and validated on right ones: every epoch is worse.</summary>
    private sealed class HarmfulTraining : IDisposable
    {
        private readonly InMemoryRows _wrong = Toy.Clouds(shiftLabels: 1);
        private readonly DataSplit _split;

        public HarmfulTraining()
        {
            using var right = Toy.Clouds();
            Network = Runs.Student(NetworkSpec.Mlp(8), right);
            Runs.Train(Network, right, Runs.Stage(10));
            _split = DataSplit.BySet(_wrong, Toy.Clouds(seed: 2));
        }

        public Network Network { get; }

        public (List<TrainingProgress> Reports, bool Cancelled) Train(int epochs, LoopSettings settings) =>
            Runs.Train(Network, _wrong, Runs.Stage(epochs, optimizer: Optimizer.Sgd(0.001)), split: _split, settings: settings);

        public void Dispose()
        {
            _split.Dispose();
            _wrong.Dispose();
            Network.Dispose();
        }
    }
}
