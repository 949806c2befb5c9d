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
    // The first batch is a poor estimate of an unknown term, which may grow by this factor without diverging.
    private const double UnknownTermFactor = 5;
    private readonly IReadOnlyList<LossTerm> _terms;
    private readonly Tensor[] _sums;
    private readonly Tensor?[] _weights;
    private readonly TermGradientCheck[] _gradientChecks;
    private readonly Tensor?[] _firstValues;
    private readonly StageState _state;
    private int _epoch;
    private int _steps;

    /// <param name="loss">The loss.</param>
    /// <param name="trainable">The student's trainable parameters.</param>
    /// <param name="device">Where the student is.</param>
    /// <param name="state">Keeps the first value of each term.</param>
    /// <exception cref="InvalidOperationException">Every term has weight 0.</exception>
    public EpochLosses(DistillationLoss loss, IReadOnlyList<Tensor> trainable, Device device, StageState state)
    {
        _state = state;
        _terms = loss.Terms;
        _gradientChecks = [.. _terms.Select(t => new TermGradientCheck(t.Loss.Name, trainable))];
        foreach (var term in _terms.Where(t => t.Weight != 0 && (float)t.Weight is 0 or float.PositiveInfinity))
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"The loss term '{term.Loss.Name}' has the weight {term.Weight:G3}, which 32-bit floats do not tell from {(term.Weight > 1 ? "infinity" : "0")}. Weights of about 1 are usual."));
        }

        _firstValues = new Tensor?[_terms.Count];
        if (_terms.All(t => t.Weight == 0))
            throw new InvalidOperationException("Every term of the loss has weight 0; there is nothing to learn.");
        _sums = [.. _terms.Select(_ => zeros(1, float64, device).DetachFromDisposeScope())];
        _weights = [.. _terms.Select(t => t.Weight == 0 ? null : tensor((float)t.Weight, device: device).DetachFromDisposeScope())];
    }

    /// <summary>The mean of the weighted sum over the last epoch.</summary>
    public double Total { get; private set; }

    /// <summary>
    /// An estimate of the weighted sum for a student that has learnt nothing, with the weights of the last epoch: the first value of each term; if the student had learnt
    /// something before the stage, at least the value for equal probabilities of all classes.
    /// </summary>
    /// <param name="classes">Number of classes.</param>
    public double EstimateUntrained(int classes)
    {
        return _terms.Index().Sum(term => term.Item.WeightIn(_epoch) * Untrained(term.Item.Loss.UntrainedValue(classes), _state.FirstLosses![term.Index]));

        double Untrained(double? known, double first) => known is null ? UnknownTermFactor * first : _state.IsFirst ? first : Math.Max(known.Value, first);
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
    /// <param name="stage">Name of the stage.</param>
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="failure">Creates the exception if means are NaN or infinite, given the names of these terms.</param>
    /// <exception cref="InvalidOperationException">No term has reached the student in any step.</exception>
    public IReadOnlyDictionary<string, double> TakeMeans(string stage, int epoch, Func<IReadOnlyList<string>, Exception> failure)
    {
        using var scope = NewDisposeScope();
        var sums = _sums.Select(sum => sum.item<double>()).ToList();
        var nonFinite = _terms.Where((_, i) => !double.IsFinite(sums[i])).Select(t => t.Loss.Name).ToList();
        if (nonFinite.Count > 0)
            throw failure(nonFinite);
        if (_steps > 0 && !_gradientChecks.Any(r => r.HasReachedStudent))
            throw TermGradientCheck.CreateNothingLearntError(stage, epoch);
        var means = new Dictionary<string, double>();
        var total = 0.0;
        for (var i = 0; i < _terms.Count; i++)
        {
            var mean = sums[i] / _steps;
            means[UniqueName(means, _terms[i].Loss.Name)] = mean;
            total += _terms[i].WeightIn(epoch) * mean;
            _sums[i].zero_();
        }

        _state.FirstLosses ??= [.. _firstValues.Select(first => first?.item<double>() ?? 0)];
        (_steps, Total) = (0, total);
        if (_terms.Count > 1)
            means["total"] = total;
        return means;
    }

    public void Dispose()
    {
        foreach (var tensor in _sums.Concat(_weights).Concat(_firstValues))
            tensor?.Dispose();
    }

    private void Evaluate(int term, LossInputs inputs, int epoch, List<Tensor> roots, List<Tensor> gradients)
    {
        var loss = _terms[term].Loss;
        var known = inputs.Student.LogitsRequireGradient ? loss.EvaluateWithGradient(inputs, _terms[term].WeightIn(epoch)) : null;
        var value = known?.Value ?? LossValue.Evaluate(loss, inputs, checksInputs: _steps == 0 && loss.GetType().Assembly != typeof(DistillationLoss).Assembly);
        using (no_grad())
        using (var scale = (known?.Scale ?? 1).ToScalar())
        {
            _sums[term].add_(value, scale);
            // The sum of one step is the value that the term began with.
            if (_firstValues[term] is null)
                _firstValues[term] = _sums[term].clone().DetachFromDisposeScope();
        }

        if (_weights[term] is not { } weight || !(known is null ? _gradientChecks[term].HasGradient(value, inputs.Student) : _gradientChecks[term].MarkReached()))
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
            if (_weights[i] is not { } weight || _terms[i].WarmupEpochs == 0)
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
