using TorchSharp.Modules;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Warns where no gradient reaches the parameters in a stage's first epoch. It looks in the first step, the second, the fourth and so on until one does: fetching a
/// number makes a step wait for the device, and a batch may well teach nothing.
/// </summary>
/// <param name="clipping">The largest norm that a gradient may have; null for any.</param>
/// <param name="warn">Given the warning.</param>
internal sealed class GradientWarning(double? clipping, Action<string> warn) : ITrainingObserver
{
    // What AdamW divides gradients by is at least 1e-8: a hundredth of that moves nothing.
    private const double NegligibleGradient = 1e-10;

    // AdamW's squares of 32-bit floats end at 3e38.
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

    // None where some gradient is neither nothing nor beyond what optimizers compute with.
    private string? FindWarning(string stage)
    {
        if (_largestClipped > OverflowingGradient)
        {
            return Invariant($"Stage '{stage}': gradients are as large as {_largestClipped:G3}, and an optimizer that squares them makes steps of zero. ") +
                "Look at the weights of the loss's terms, at the example weights, and at the scale of the features, or set GradientClipping (1 is a usual value).";
        }

        if (_largestClipped > NegligibleGradient)
            return null;
        return clipping is { } norm && _largestUnclipped > NegligibleGradient
            ? Invariant($"Stage '{stage}': GradientClipping of {norm:G3} scales every gradient down to nothing (the largest was {_largestUnclipped:G3}), so no weight moves. 1 is a usual value.")
            : Invariant($"Stage '{stage}': every gradient of the first epoch is as good as zero (the largest was {_largestUnclipped:G3}), so nothing is learnt. ") +
              "Look at the weights of the loss's terms, at the example weights, and at the scale of the features.";
    }

    private static double LargestGradient(IReadOnlyList<Parameter> parameters)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor[] largest = [.. parameters.Select(p => p.grad).OfType<Tensor>().Where(g => g.numel() > 0).Select(g => g.abs().max().to(ScalarType.Float64))];
        return largest.Length == 0 ? 0 : stack(largest).max().item<double>();
    }
}
