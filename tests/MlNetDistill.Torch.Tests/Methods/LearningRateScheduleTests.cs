using MlNetDistill.Methods;

namespace MlNetDistill.Tests;

public sealed class LearningRateScheduleTests
{
    // Printed by PyTorch 2.6: torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1, total_steps=…, pct_start=…, div_factor=…,
    // final_div_factor=…, base_momentum=…, max_momentum=…), the group's lr and momentum before each step.
    private static readonly object[] PyTorchCycles =
    [
        new object[]
        {
            LearningRateSchedule.OneCycle(0.3, 25, 1e4, 0.85, 0.95),
            new[]
            {
                0.040000000000000036, 0.52, 1.0, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893, 0.38874197806371075,
                0.18825834605023697, 0.049519367986526286, 4e-06,
            },
            new[]
            {
                0.95, 0.8999999999999999, 0.85, 0.854951556604879, 0.8688255099070633, 0.8888739533021842, 0.9111260466978157,
                0.9311744900929366, 0.945048443395121, 0.95,
            },
        },
        new object[]
        {
            LearningRateSchedule.OneCycle(0.2, 10, 100, 0.8, 0.9),
            new[]
            {
                0.09999999999999998, 0.9719697234890297, 0.8119331560284374, 0.5564262558136024, 0.28377507231077975, 0.07756126248547209, 0.001,
            },
            new[] { 0.9, 0.8028058334845817, 0.8188255099070634, 0.8444017761948346, 0.871694186955878, 0.8923362099614143, 0.9 },
        },
        // A rise shorter than one step: PyTorch starts past the peak.
        new object[]
        {
            LearningRateSchedule.OneCycle(0.2, 25, 1e4, 0.85, 0.95),
            new[] { 0.9903926786310544, 0.6913429508156803, 0.22221799463066508, 4e-06 },
            new[] { 0.8509607359798385, 0.8808658283817454, 0.92777851165098, 0.95 },
        },
    ];

    [TestCaseSource(nameof(PyTorchCycles))]
    public void One_cycle_equals_that_of_PyTorch(LearningRateSchedule schedule, double[] rates, double[] momenta)
    {
        Near.Array(Factors(schedule, rates.Length), rates, 1e-14, 0, "rate");
        Near.Array([.. Steps(rates.Length).Select(s => schedule.MomentumAt(s, rates.Length)!.Value)], momenta, 1e-14, 0, "momentum");
    }

    [Test]
    public void A_one_cycle_of_a_single_step_is_finite() =>
        Assert.That(double.IsFinite(LearningRateSchedule.OneCycle().FactorAt(0, 1, 1)), Is.True);

    [Test]
    public void A_constant_schedule_keeps_the_rate() =>
        Assert.That(Factors(LearningRateSchedule.Constant(), 5), Is.All.EqualTo(1));

    [Test]
    public void Only_one_cycle_moves_momentum()
    {
        Assert.That(LearningRateSchedule.Constant().MomentumAt(0, 10), Is.Null);
        Assert.That(LearningRateSchedule.Cosine().MomentumAt(0, 10), Is.Null);
        Assert.That(LearningRateSchedule.Step([1]).MomentumAt(0, 10), Is.Null);
    }

    [Test]
    public void A_warm_up_rises_linearly_and_reaches_the_full_rate_right_after_its_epochs()
    {
        var schedule = LearningRateSchedule.Constant() with { WarmupEpochs = 2 };
        var factors = Steps(10).Select(s => schedule.FactorAt(s, 10, stepsPerEpoch: 2)).ToArray();
        Near.Array(factors, [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1, 1], 1e-14, 0, "factors");
    }

    [Test]
    public void A_warm_up_may_last_a_fraction_of_an_epoch()
    {
        var schedule = LearningRateSchedule.Constant() with { WarmupEpochs = 0.5 };
        Near.Array([.. Steps(4).Select(s => schedule.FactorAt(s, 4, stepsPerEpoch: 4))], [1 / 3.0, 2 / 3.0, 1, 1], 1e-14, 0, "factors");
    }

    [Test]
    public void A_warm_up_scales_the_schedule_it_begins()
    {
        var plain = LearningRateSchedule.Cosine();
        var warmed = plain with { WarmupEpochs = 1 };
        Assert.That(warmed.FactorAt(0, 40, 4), Is.EqualTo(plain.FactorAt(0, 40, 4) / 5).Within(1e-15));
        Assert.That(warmed.FactorAt(4, 40, 4), Is.EqualTo(plain.FactorAt(4, 40, 4)));
    }

    [Test]
    public void A_cosine_falls_from_one_through_the_middle_to_its_end()
    {
        var schedule = LearningRateSchedule.Cosine(0.2);
        Assert.That(schedule.FactorAt(0, 100, 10), Is.EqualTo(1));
        Assert.That(schedule.FactorAt(50, 100, 10), Is.EqualTo(0.6).Within(1e-14));
        Assert.That(schedule.FactorAt(100, 100, 10), Is.EqualTo(0.2).Within(1e-14));
    }

    [Test]
    public void Good_settings_have_no_faults() => Assert.That(
        new[] { LearningRateSchedule.Constant(), LearningRateSchedule.Step([3, 6]), LearningRateSchedule.Cosine(), LearningRateSchedule.OneCycle() }
            .SelectMany(s => s.Validate()),
        Is.Empty);

    [Test]
    public void Every_fault_of_a_schedule_is_named()
    {
        Assert.That((LearningRateSchedule.Step([6, 3], 2) with { WarmupEpochs = -1 }).Validate(), Is.EqualTo(new[]
        {
            "The schedule's WarmupEpochs must be at least 0; was -1.",
            "The step schedule's factor must be in (0, 1]; was 2.",
            "The step schedule's epochs must rise; were [6, 3].",
        }));
        Assert.That(LearningRateSchedule.Cosine(1).Validate(), Is.EqualTo(new[] { "The cosine schedule's final factor must be in [0, 1); was 1." }));
        Assert.That(LearningRateSchedule.OneCycle(0, 0.5, 0, 0.9, 0.8).Validate(), Is.EqualTo(new[]
        {
            "The one-cycle schedule's riseFraction must be in (0, 1); was 0.",
            "The one-cycle schedule's startDivisor must be at least 1; was 0.5.",
            "The one-cycle schedule's finalDivisor must be at least 1; was 0.",
            "The one-cycle schedule's momenta must satisfy 0 ≤ low ≤ high < 1; were 0.9 and 0.8.",
        }));
    }

    private static IEnumerable<int> Steps(int count) => Enumerable.Range(0, count);

    private static double[] Factors(LearningRateSchedule schedule, int steps) => [.. Steps(steps).Select(s => schedule.FactorAt(s, steps, steps))];
}
