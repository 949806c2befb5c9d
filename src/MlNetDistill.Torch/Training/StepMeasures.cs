using MlNetDistill.Core;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Gradient norms and the largest logit of an epoch. They are collected on the device and read once an epoch, so that no step waits for them. Where gradients are clipped, their norm is
/// known in each step and is collected at no cost.
/// </summary>
/// <param name="measures">Whether to measure what is not known.</param>
/// <param name="device">The device of the training.</param>
internal sealed class StepMeasures(bool measures, Device device) : IDisposable
{
    private readonly Tensor? _norms = measures ? zeros(2, float64, device).DetachFromDisposeScope() : null;
    private readonly Tensor? _largestLogit = measures ? zeros(1, float32, device).DetachFromDisposeScope() : null;
    private int _steps;
    private double _sum;
    private double _largest;

    /// <summary>Collects the logits of a step.</summary>
    public void AddLogits(Tensor? logits)
    {
        if (_largestLogit is null || logits is null)
            return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _largestLogit.copy_(_largestLogit.maximum(logits.detach().abs().max()));
    }

    /// <summary>Collects the norm of a step's gradient.</summary>
    /// <param name="parameters">The parameters that have it.</param>
    /// <param name="known">The norm before clipping, if it is known.</param>
    public void AddGradient(IReadOnlyList<Parameter> parameters, double? known)
    {
        if (known is { } norm)
        {
            _steps++;
            _sum += norm;
            _largest = Math.Max(_largest, norm);
        }
        else if (_norms is not null)
        {
            _steps++;
            Measure(parameters);
        }
    }

    /// <summary>The values of the epoch, null where nothing was collected; then begins anew.</summary>
    public (double? MeanNorm, double? LargestNorm, double? LargestLogit) Take()
    {
        using var scope = NewDisposeScope();
        double[] measured = _norms is null ? [0, 0] : _norms.cpu().data<double>().ToArray();
        double? logit = _largestLogit is null || _steps == 0 ? null : _largestLogit.item<float>();
        (double?, double?, double?) taken = _steps == 0 ? (null, null, null) : ((_sum + measured[0]) / _steps, Math.Max(_largest, measured[1]), logit);
        Reset();
        return taken;
    }

    /// <summary>What was collected so far; reading it waits for the device.</summary>
    public MeasureSums Save()
    {
        using var scope = NewDisposeScope();
        double[] measured = _norms is null ? [0, 0] : _norms.cpu().data<double>().ToArray();
        return new(_steps, _sum, _largest, measured[0], measured[1], _largestLogit?.item<float>() ?? 0);
    }

    /// <summary>Continues with what was saved.</summary>
    public void Restore(MeasureSums? saved)
    {
        // What was not measured then is not measured now, and the other way round.
        if (saved is null || (_norms is null && saved.KnownSum == 0))
            return;
        using var scope = NewDisposeScope();
        (_steps, _sum, _largest) = (saved.Steps, saved.KnownSum, saved.KnownLargest);
        _norms?.copy_(tensor(new[] { saved.Sum, saved.Largest }, float64));
        _largestLogit?.copy_(tensor(new[] { (float)saved.LargestLogit }, float32));
    }

    public void Reset()
    {
        (_steps, _sum, _largest) = (0, 0, 0);
        _norms?.zero_();
        _largestLogit?.zero_();
    }

    public void Dispose()
    {
        _norms?.Dispose();
        _largestLogit?.Dispose();
    }

    private void Measure(IReadOnlyList<Parameter> parameters)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor[] norms = [.. parameters.Select(p => p.grad).OfType<Tensor>().Select(gradient => gradient.norm())];
        if (norms.Length == 0)
            return;
        var norm = (norms.Length == 1 ? norms[0] : stack(norms).norm()).to(ScalarType.Float64);
        var (sum, largest) = (_norms!.narrow(0, 0, 1), _norms.narrow(0, 1, 1));
        sum.AddInPlace(norm.unsqueeze(0));
        largest.copy_(largest.maximum(norm));
    }
}
