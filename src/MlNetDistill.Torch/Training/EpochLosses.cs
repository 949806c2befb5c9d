using MlNetDistill.Losses;
using TorchSharp;
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
    private readonly Tensor?[] _weights;
    private int _epoch;
    private int _steps;

    public EpochLosses(DistillationLoss loss, Device device)
    {
        _terms = loss.Terms;
        _sums = [.. _terms.Select(_ => zeros(1, float64, device).DetachFromDisposeScope())];
        _weights = [.. _terms.Select(t => t.Weight == 0 ? null : tensor((float)t.Weight, device: device).DetachFromDisposeScope())];
        if (_terms.All(t => t.Weight == 0))
            throw new InvalidOperationException("Every term of the loss has weight 0; there is nothing to learn.");
    }

    /// <summary>
    /// Evaluates every term and sends the gradient of their weighted sum back. The weights start the backward pass as the gradients of the
    /// terms, so the sum itself is never a node of the graph; a term that knows its gradient hands it to the logits at once. A term of weight 0 is evaluated for the report alone.
    /// </summary>
    /// <param name="inputs">The step's inputs.</param>
    /// <param name="epoch">The epoch, from 1, for weights that warm up.</param>
    public void Backward(LossInputs inputs, int epoch)
    {
        SetWeights(epoch);
        var roots = new List<Tensor>(_terms.Count);
        var gradients = new List<Tensor>(_terms.Count);
        for (var i = 0; i < _terms.Count; i++)
            Evaluate(i, inputs, epoch, roots, gradients);
        _steps++;
        if (roots.Count > 0)
            autograd.backward(roots, gradients);
    }

    /// <summary>The terms' means over the epoch; starts the next one.</summary>
    /// <exception cref="NonFiniteLossException">A mean is NaN or infinite.</exception>
    public IReadOnlyDictionary<string, double> Take(string stage, int epoch, double learningRate)
    {
        using var scope = NewDisposeScope();
        var sums = _sums.Select(sum => sum.item<double>()).ToList();
        var ruined = _terms.Where((_, i) => !double.IsFinite(sums[i])).Select(t => t.Loss.Name).ToList();
        if (ruined.Count > 0)
            throw new NonFiniteLossException(ruined, stage, epoch, learningRate);
        var means = new Dictionary<string, double>();
        var total = 0.0;
        for (var i = 0; i < _terms.Count; i++)
        {
            var mean = sums[i] / _steps;
            means[UniqueName(means, _terms[i].Loss.Name)] = mean;
            total += _terms[i].WeightIn(epoch) * mean;
            _sums[i].zero_();
        }

        _steps = 0;
        if (_terms.Count > 1)
            means["total"] = total;
        return means;
    }

    public void Dispose()
    {
        foreach (var tensor in _sums.Concat(_weights))
            tensor?.Dispose();
    }

    private void Evaluate(int term, LossInputs inputs, int epoch, List<Tensor> roots, List<Tensor> gradients)
    {
        var loss = _terms[term].Loss;
        var known = inputs.Student.LogitsLearn ? loss.EvaluateWithGradient(inputs, _terms[term].WeightIn(epoch)) : null;
        var value = known?.Value ?? loss.Evaluate(inputs);
        if (value.dim() != 0)
            throw new InvalidOperationException($"The loss term '{loss.Name}' must give a scalar; it gave [{string.Join(", ", value.shape)}].");
        using (no_grad())
        using (var scale = (known?.Scale ?? 1).ToScalar())
            _sums[term].add_(value, scale);
        // A term that is constant for this batch teaches nothing.
        if (_weights[term] is not { } weight || (known is null && !value.requires_grad))
            return;
        roots.Add(known is null ? value : inputs.Student.Logits);
        gradients.Add(known?.Gradient ?? weight);
    }

    private void SetWeights(int epoch)
    {
        if (epoch == _epoch)
            return;
        _epoch = epoch;
        for (var i = 0; i < _terms.Count; i++)
        {
            if (_weights[i] is not { } weight || _terms[i].WarmUpEpochs == 0)
                continue;
            using var value = ((float)_terms[i].WeightIn(epoch)).ToScalar();
            weight.fill_(value);
        }
    }

    private static string UniqueName(Dictionary<string, double> taken, string name)
    {
        var unique = name;
        for (var n = 2; taken.ContainsKey(unique); n++)
            unique = $"{name}{n}";
        return unique;
    }
}
