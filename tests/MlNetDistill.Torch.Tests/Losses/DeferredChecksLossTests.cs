using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Checks of which the first batch is judged at once and the others at the end of an epoch.</summary>
public sealed class DeferredChecksLossTests
{
    private IDisposable _scope = null!;
    private DeferredChecks _checks = null!;

    [SetUp]
    public void OpenScope() => (_scope, _checks) = (NewDisposeScope(), new DeferredChecks());

    [TearDown]
    public void CloseScope()
    {
        _checks.Dispose();
        _scope.Dispose();
    }

    [Test]
    public void A_value_below_zero_in_the_first_batch_is_refused_at_once() => Assert.That(() => AtLeast0(0.5f, -2), Throws.InvalidOperationException.With.Message.EqualTo("least -2"));

    [Test]
    public void Values_below_zero_in_later_batches_are_refused_at_the_end_by_the_least_of_all()
    {
        Assert.That(() => { AtLeast0(0); AtLeast0(-1, 3); AtLeast0(-4, 3); AtLeast0(1); }, Throws.Nothing);
        Assert.That(_checks.Finish, Throws.InvalidOperationException.With.Message.EqualTo("least -4"));
    }

    [Test]
    public void Values_of_zero_and_above_pass()
    {
        AtLeast0(0, 1);
        AtLeast0(1);
        Assert.That(_checks.Finish, Throws.Nothing);
    }

    [Test]
    public void Each_check_has_values_of_its_own()
    {
        AtLeast0(1);
        Assert.That(() => _checks.RequireAtLeast0("other", tensor(new[] { -1f }), _ => new NotSupportedException()), Throws.TypeOf<NotSupportedException>(), "the first batch of another");
    }

    [Test]
    public void What_is_only_reported_is_reported_at_the_first_batch_and_at_the_end()
    {
        var reports = 0;
        void Report(float value) => _checks.ReportBelow0("key", tensor(new[] { value }), () => reports++);
        Report(0);
        Assert.That(reports, Is.Zero, "0 is not below 0");
        Report(2);
        _checks.Finish();
        Assert.That(reports, Is.Zero);
        Report(-1);
        Assert.That(reports, Is.Zero, "of a later batch");
        _checks.Finish();
        Assert.That(reports, Is.EqualTo(1));
        _checks.ReportBelow0("other", tensor(new[] { -1f }), () => reports += 10);
        Assert.That(reports, Is.EqualTo(11), "of the first batch");
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity)]
    public void What_is_no_number_is_refused_in_any_batch(float value)
    {
        Assert.That(() => Finite(1, value), Throws.InvalidOperationException.With.Message.EqualTo("not finite"));
        Assert.That(() => { Finite(1, float.MaxValue, float.MaxValue); Finite(value, 1); Finite(1); }, Throws.Nothing);
        Assert.That(_checks.Finish, Throws.InvalidOperationException.With.Message.EqualTo("not finite"));
    }

    [Test]
    public void Disposed_checks_are_forgotten_and_hold_no_tensor()
    {
        var before = Tensor.TotalCount;
        AtLeast0(1);
        AtLeast0(-1);
        _checks.Dispose();
        Assert.That(_checks.Finish, Throws.Nothing);
        _scope.Dispose();
        Assert.That(Tensor.TotalCount, Is.EqualTo(before));
    }

    private void AtLeast0(params float[] values) => _checks.RequireAtLeast0("key", tensor(values), least => new InvalidOperationException(FormattableString.Invariant($"least {least}")));

    private void Finite(params float[] values) => _checks.RequireFinite("finite", tensor(values), () => new InvalidOperationException("not finite"));
}
