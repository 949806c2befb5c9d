using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Checks of values that are computed in a training step. Reading a value from a device in every step would make each step wait for it, so the first value of each check is
/// read at once, and of the others the least at the end of the epoch.
/// </summary>
internal sealed class DeferredChecks : IDisposable
{
    private readonly Dictionary<object, (Tensor Least, Action<double> Judge)> _checks = [];

    /// <summary>Checks that values are at least 0.</summary>
    /// <param name="key">Tells this check from the others of the stage.</param>
    /// <param name="values">The values.</param>
    /// <param name="createError">Creates the exception, given a value below 0.</param>
    public void RequireAtLeast0(object key, Tensor values, Func<double, Exception> createError)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Keep(key, values.detach().min(), least => ThrowIfBelow0(least, createError));
    }

    /// <summary>Checks that values are at least 0; where they are not, training goes on.</summary>
    /// <param name="key">Tells this check from the others of the stage.</param>
    /// <param name="values">The values.</param>
    /// <param name="report">Called if a value is below 0, at the first step and at the end of an epoch.</param>
    public void ReportBelow0(object key, Tensor values, Action report)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Keep(key, values.detach().min(), least =>
        {
            if (least < 0)
                report();
        });
    }

    /// <summary>Checks that values are neither NaN nor infinite.</summary>
    /// <param name="key">Tells this check from the others of the stage.</param>
    /// <param name="values">The values, 32-bit floats or shorter: a sum of 64-bit ones could overflow.</param>
    /// <param name="createError">Creates the exception.</param>
    public void RequireFinite(object key, Tensor values, Func<Exception> createError)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // 0 of finite values, else NaN, which a minimum keeps.
        Keep(key, values.detach().sum(float64).MultiplyBy(0), least =>
        {
            if (double.IsNaN(least))
                throw createError();
        });
    }

    /// <summary>Throws the exception of a check that failed.</summary>
    public void Finish()
    {
        foreach (var (least, judge) in _checks.Values)
            judge(Read(least));
    }

    public void Dispose()
    {
        foreach (var (least, _) in _checks.Values)
            least.Dispose();
        _checks.Clear();
    }

    public static void ThrowIfBelow0(Tensor least, Func<double, Exception> createError) => ThrowIfBelow0(Read(least), createError);

    private static void ThrowIfBelow0(double least, Func<double, Exception> createError)
    {
        if (least < 0)
            throw createError(least);
    }

    private void Keep(object key, Tensor least, Action<double> judge)
    {
        if (_checks.TryGetValue(key, out var known))
        {
            known.Least.copy_(known.Least.minimum(least));
            return;
        }

        judge(Read(least));
        _checks[key] = (least.clone().DetachFromDisposeScope(), judge);
    }

    private static double Read(Tensor least)
    {
        using var number = least.to(float64);
        return number.item<double>();
    }
}
