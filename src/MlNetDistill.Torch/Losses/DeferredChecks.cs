using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Checks of values that are computed in a training step. Reading a value from a device in every step would make each step wait for it, so the first value of each check is
/// read at once, and of the others the least at the end of the epoch.
/// </summary>
internal sealed class DeferredChecks : IDisposable
{
    private readonly Dictionary<object, (Tensor Least, Func<double, Exception> CreateError)> _checks = [];

    /// <summary>Checks that values are at least 0.</summary>
    /// <param name="key">Tells this check from the others of the stage.</param>
    /// <param name="values">The values.</param>
    /// <param name="createError">Creates the exception, given a value below 0.</param>
    public void RequireAtLeast0(object key, Tensor values, Func<double, Exception> createError)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var least = values.detach().min();
        if (_checks.TryGetValue(key, out var known))
        {
            known.Least.copy_(known.Least.minimum(least));
            return;
        }

        ThrowIfBelow0(least, createError);
        _checks[key] = (least.clone().DetachFromDisposeScope(), createError);
    }

    /// <summary>Throws the exception of a check that failed.</summary>
    public void Finish()
    {
        foreach (var (least, createError) in _checks.Values)
            ThrowIfBelow0(least, createError);
    }

    public void Dispose()
    {
        foreach (var (least, _) in _checks.Values)
            least.Dispose();
        _checks.Clear();
    }

    public static void ThrowIfBelow0(Tensor least, Func<double, Exception> createError)
    {
        using var number = least.to(float64);
        if (number.item<double>() is var value and < 0)
            throw createError(value);
    }
}
