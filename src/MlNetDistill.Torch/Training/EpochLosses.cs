using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Evaluates a loss term by term and keeps each term's sum over the epoch on the device: no value is fetched inside a step, which would make
/// every step wait for it.
/// </summary>
internal sealed class EpochLosses : IDisposable
{
    private readonly IReadOnlyList<LossTerm> _terms;
    private readonly Tensor[] _sums;
    private int _steps;

    public EpochLosses(DistillationLoss loss, Device device)
    {
        _terms = loss.Terms;
        _sums = [.. _terms.Select(_ => zeros(1, float64, device).squeeze(0).DetachFromDisposeScope())];
    }

    /// <summary>The weighted sum of the terms, with gradient. A term of weight 0 is evaluated for the report alone.</summary>
    public Tensor Evaluate(LossInputs inputs)
    {
        Tensor? total = null;
        for (var i = 0; i < _terms.Count; i++)
        {
            var value = _terms[i].Loss.Evaluate(inputs);
            using (no_grad())
                _sums[i].PlusInPlace(value.detach());
            if (_terms[i].Weight == 0)
                continue;
            var weighted = _terms[i].Weight == 1 ? value : value.Times(_terms[i].Weight);
            total = total is null ? weighted : total.Plus(weighted);
        }

        _steps++;
        return total ?? throw new InvalidOperationException("Every term of the loss has weight 0; there is nothing to learn.");
    }

    /// <summary>The terms' means over the epoch; starts the next one.</summary>
    /// <exception cref="NonFiniteLossException">A mean is NaN or infinite.</exception>
    public IReadOnlyDictionary<string, double> Take(string stage, int epoch, double learningRate)
    {
        var means = new Dictionary<string, double>();
        var total = 0.0;
        for (var i = 0; i < _terms.Count; i++)
        {
            var mean = _sums[i].item<double>() / _steps;
            if (!double.IsFinite(mean))
                throw new NonFiniteLossException(_terms[i].Loss.Name, stage, epoch, learningRate);
            means[UniqueName(means, _terms[i].Loss.Name)] = mean;
            total += _terms[i].Weight * mean;
            _sums[i].zero_();
        }

        _steps = 0;
        if (_terms.Count > 1)
            means["total"] = total;
        return means;
    }

    public void Dispose()
    {
        foreach (var sum in _sums)
            sum.Dispose();
    }

    private static string UniqueName(Dictionary<string, double> taken, string name)
    {
        var unique = name;
        for (var n = 2; taken.ContainsKey(unique); n++)
            unique = $"{name}{n}";
        return unique;
    }
}
