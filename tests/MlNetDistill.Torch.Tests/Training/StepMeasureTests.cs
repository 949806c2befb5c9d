using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The gradient norm and the largest logit in the progress.</summary>
public sealed class StepMeasureTests
{
    private const double Rate = 0.01;

    [TestCase(null, true)]
    [TestCase(1e6, true)]
    [TestCase(1e6, false)]
    public void The_norm_is_the_length_of_a_step_of_gradient_descent_by_its_rate(double? clipping, bool measures)
    {
        using var run = new FaultyRun { Optimizer = Optimizer.Sgd(Rate, 0, nesterov: false, 0) }.Train(1, clipping: clipping, measures: measures);
        double[][] states = [.. run.Before, Runs.State(run.Network)];
        var norms = states.Zip(states.Skip(1), (before, after) => Math.Sqrt(before.Zip(after, (a, b) => (a - b) * (a - b)).Sum()) / Rate).ToList();
        Assert.That(run.Reports[0].MeanGradientNorm, Is.EqualTo(norms.Average()).Within(1e-3 * norms.Average()));
        Assert.That(run.Reports[0].LargestGradientNorm, Is.EqualTo(norms.Max()).Within(1e-3 * norms.Max()));
    }

    [Test]
    public void The_largest_logit_is_that_of_all_steps()
    {
        using var set = Toy.Clouds(rows: 48);
        using var network = Runs.Student(NetworkSpec.Mlp(6), set);
        double expected;
        using (no_grad())
            expected = Near.Values(network.forward(set.AllFeatures()).Logits).Max(Math.Abs);
        // One step, from the initial weights.
        var (reports, _) = Runs.Train(network, set, Runs.Stage(1, batchSize: 48), settings: new LoopSettings { MeasureTraining = true });
        Assert.That(reports[0].LargestLogit, Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Each_epoch_is_measured_anew()
    {
        using var run = new FaultyRun { Optimizer = Optimizer.Sgd(0.2, 0.9) }.Train(30, measures: true);
        Assert.That(run.Reports[^1].MeanGradientNorm, Is.LessThan(run.Reports[0].MeanGradientNorm!));
        Assert.That(run.Reports.Select(r => r.LargestGradientNorm), Is.Unique);
        Assert.That(run.Reports[^1].LargestLogit, Is.GreaterThan(run.Reports[0].LargestLogit!));
    }

    [Test]
    public void Without_the_setting_nothing_is_measured_but_the_norm_that_clipping_knows()
    {
        using var plain = new FaultyRun().Train(1);
        using var clipped = new FaultyRun().Train(1, clipping: 1);
        Assert.That((plain.Reports[0].MeanGradientNorm, plain.Reports[0].LargestGradientNorm, plain.Reports[0].LargestLogit), Is.EqualTo(((double?)null, (double?)null, (double?)null)));
        Assert.That((clipped.Reports[0].MeanGradientNorm > 0, clipped.Reports[0].LargestLogit), Is.EqualTo((true, (double?)null)));
    }

    [Test]
    public void A_line_of_progress_has_them()
    {
        var progress = new TrainingProgress("KD", 2, 10, new Dictionary<string, double> { ["kd"] = 0.5 }, 0.05, null, 1234.4, TimeSpan.FromSeconds(65), TimeSpan.FromSeconds(20))
        {
            MeanGradientNorm = 0.5,
            LargestGradientNorm = 1.25,
            LargestLogit = 7.5,
            SkippedBatches = 2,
            TimesGoneBack = 1,
        };
        Assert.That($"{progress}", Is.EqualTo("KD epoch 2/10: kd 0.5000, rate 0.05, gradient 0.5 (at most 1.25), logits up to 7.5, 2 skipped, gone back 1 time, 1,234 rows/s, 00:01:05 left"));
    }
}
