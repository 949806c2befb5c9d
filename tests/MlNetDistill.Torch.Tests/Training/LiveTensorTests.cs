using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>No tensor outlives its step unless it is meant to.</summary>
public sealed class LiveTensorTests
{
    public static IEnumerable<TestCaseData> Cases() =>
        from spec in new[] { NetworkSpec.Mlp(16), NetworkSpec.ResNet(8, 4, 8, 16) }
        from optimizer in new[] { Optimizer.Sgd(0.01), Optimizer.AdamW() }
        select new TestCaseData(spec, optimizer);

    [TestCaseSource(nameof(Cases))]
    public void The_number_of_live_tensors_is_flat_over_steps(NetworkSpec spec, Optimizer optimizer)
    {
        using var set = spec.NeedsImages ? Toy.Images() : Toy.Clouds();
        using var network = Runs.Student(spec, set);
        using var teacher = Runs.Student(NetworkSpec.Mlp(8), set, seed: 99);
        using var cached = Runs.Cached(teacher, set);
        using var split = DataSplit.ByMask(set, tensor(Enumerable.Range(0, (int)set.Count).Select(i => i % 4 == 0).ToArray()));
        var loss = (0.5 * new CrossEntropyLoss()) + (0.5 * new KdLoss(4));
        Collect();
        var live = new List<long>();
        var settings = new LoopSettings { GradientClipping = 1, Report = _ => live.Add(Tensor.TotalCount) };

        Runs.Train(network, set, Runs.Stage(8, loss, cached, 8, optimizer), split: split, settings: settings);

        // The first epoch makes the optimiser's state; from then on there is nothing new to keep.
        Assert.That(live, Has.Count.EqualTo(8));
        Assert.That(live.Skip(2), Is.All.EqualTo(live[1]));
    }

    [Test]
    public void A_further_stage_leaves_no_tensor_behind()
    {
        using var set = Toy.Images();
        using var network = Runs.Student(NetworkSpec.ResNet(8, 4, 8, 16), set);
        using var split = DataSplit.ByMask(set, tensor(Enumerable.Range(0, (int)set.Count).Select(i => i % 4 == 0).ToArray()));
        var stage = Runs.Stage(2);
        Runs.Train(network, set, stage, split: split);
        Collect();
        var before = Tensor.TotalCount;
        Runs.Train(network, set, stage, split: split);
        Assert.That(Tensor.TotalCount, Is.EqualTo(before));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_training_that_goes_back_leaves_no_tensor_behind(bool measures)
    {
        var before = Live();
        using (var run = new FaultyRun { FaultAt = (step, _) => step == FaultyRun.BatchesPerEpoch + 2 ? Fault.Loss : null, Optimizer = Optimizer.AdamW() })
        {
            run.Train(handling: NonFiniteHandling.GoBack(1, 0.5), measures: measures);
            Assert.That(run.Reports[^1].TimesGoneBack, Is.EqualTo(1));
        }

        Assert.That(Live(), Is.EqualTo(before));
    }

    // In the midst of an epoch of the first phase, and of the second, which is a bilevel stage.
    [TestCase(8)]
    [TestCase(21)]
    public void A_training_that_breaks_off_and_goes_on_leaves_no_tensor_behind(int batch)
    {
        var folder = Directory.CreateTempSubdirectory("resumed-");
        try
        {
            BreakableTraining Create() => new(folder.FullName) { OnNonFinite = NonFiniteHandling.GoBack(), SpoiltStep = 2, EarlyStopping = new EarlyStopping(10) };
            var before = Live();
            Assert.That(() => Create().Train(batch), Throws.TypeOf<PowerFailureException>());
            Assert.That(Live(), Is.EqualTo(before), "broken off");
            Create().Train();
            Assert.That(Live(), Is.EqualTo(before), "gone on");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>
    /// TorchSharp's <c>Tensor.TotalCount</c> grows with each parameter that is made and disposed, so it cannot tell whether a fit leaks. The memory and the statistics of
    /// the dispose scopes can. If the count is ever right, tests can use it for whole fits.
    /// </summary>
    [Test]
    [Platform("Linux")]
    public void A_parameter_that_is_disposed_stays_in_TorchSharps_count_but_not_in_memory()
    {
        const int Count = 2000;
        // First, as it collects what other tests left, which is then no longer counted.
        var memory = MemoryInUse.Now();
        var (counted, alive) = (Tensor.TotalCount, Live());
        for (var i = 0; i < Count; i++)
        {
            using var parameter = new TorchSharp.Modules.Parameter(ones(100_000));
        }

        Assert.Multiple(() =>
        {
            Assert.That(Tensor.TotalCount - counted, Is.AtLeast(Count));
            Assert.That(Live(), Is.EqualTo(alive));
            Assert.That(MemoryInUse.Now() - memory, Is.LessThan(80_000_000), "all of them would take 800 MB");
        });
    }

    private static long Live() => TorchSharp.DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
