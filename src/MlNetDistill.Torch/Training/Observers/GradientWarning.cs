using TorchSharp.Modules;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Warns if all gradients in the first epoch of a stage are negligible, or if they are too large. They are measured in steps 1, 2, 4, 8 and so on until one is not
/// negligible: fetching a number makes a step wait for the device, and single batches may have no gradient.
/// </summary>
/// <param name="clipping">The largest norm of the gradient; null for no limit.</param>
/// <param name="warn">Receives the warning.</param>
internal sealed class GradientWarning(double? clipping, Action<string> warn) : ITrainingObserver
{
    // AdamW divides gradients by at least 1e-8 (its epsilon); with a hundredth of that, weights do not move.
    private const double NegligibleGradient = 1e-10;

    // AdamW squares gradients, and 32-bit floats end at 3e38.
    private const double OverflowingGradient = 1e18;
    private long _step;
    private long _nextMeasured;
    private double _largestUnclipped;
    private double _largestClipped;

    private bool IsMeasuredStep => _largestClipped <= NegligibleGradient && _step == _nextMeasured;

    public void StageBegins(StageRun run) => (_step, _nextMeasured, _largestUnclipped, _largestClipped) = (0, 1, 0, 0);

    public void GradientsComputed(StageRun run)
    {
        _step++;
        if (IsMeasuredStep)
            _largestUnclipped = Math.Max(_largestUnclipped, LargestGradient(run.Parameters));
    }

    public void GradientsClipped(StageRun run)
    {
        if (!IsMeasuredStep)
            return;
        _largestClipped = LargestGradient(run.Parameters);
        _nextMeasured *= 2;
    }

    public void EpochEnds(EpochResult epoch)
    {
        var state = epoch.Run.State;
        if (state.Warned || state.Epoch > 1 || FindWarning(state.Name) is not { } warning)
            return;
        state.Warned = true;
        warn(warning);
    }

    // Null if some gradient is neither negligible nor too large for an optimizer.
    private string? FindWarning(string stage)
    {
        if (_largestClipped > OverflowingGradient)
        {
            return Invariant($"Stage '{stage}': gradients are as large as {_largestClipped:G3}; an optimizer that squares them overflows and makes steps of zero. ") +
                "Check the weights of the loss terms, the example weights, and the scale of the features, or set GradientClipping (1 is a usual value).";
        }

        if (_largestClipped > NegligibleGradient)
            return null;
        return clipping is { } norm && _largestUnclipped > NegligibleGradient
            ? Invariant($"Stage '{stage}': GradientClipping of {norm:G3} scales every gradient down to nothing (the largest was {_largestUnclipped:G3}), so no weight moves. 1 is a usual value.")
            : Invariant($"Stage '{stage}': every gradient of the first epoch is practically zero (the largest was {_largestUnclipped:G3}), so nothing is learnt. ") +
              "Check the weights of the loss terms, the example weights, and the scale of the features.";
    }

    private static double LargestGradient(IReadOnlyList<Parameter> parameters)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor[] largest = [.. parameters.Select(p => p.grad).OfType<Tensor>().Where(g => g.numel() > 0).Select(g => g.abs().max().to(ScalarType.Float64))];
        return largest.Length == 0 ? 0 : stack(largest).max().item<double>();
    }
}
