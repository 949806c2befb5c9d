using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Evaluates the terms of a loss and keeps the sum of each over the epoch on the device: fetching a value within a step would make every step wait for the device.
/// </summary>
internal sealed class EpochLosses : IDisposable
{
    // For a term without a known untrained value, the first batch is a poor estimate: it may grow by this factor without diverging.
    private const double UnknownTermFactor = 5;
    private readonly IReadOnlyList<LossTerm> _terms;
    private readonly Tensor[] _sums;
    private readonly Tensor?[] _weights;
    private readonly TermGradientCheck[] _gradientChecks;
    private readonly Tensor?[] _firstValues;
    private readonly Tensor[] _values;
    private readonly double[] _scales;
    private readonly StageState _state;
    private int _epoch;
    private int _steps;

    /// <exception cref="InvalidOperationException">Every term has weight 0, or a weight is too large or too small for a 32-bit float.</exception>
    public EpochLosses(DistillationLoss loss, IReadOnlyList<Tensor> trainable, Device device, StageState state)
    {
        _state = state;
        _terms = loss.Terms;
        _gradientChecks = [.. _terms.Select(t => new TermGradientCheck(t.Loss.Name, trainable))];
        foreach (var term in _terms.Where(t => t.Weight != 0 && (float)t.Weight is 0 or float.PositiveInfinity))
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"The loss term '{term.Loss.Name}' has the weight {term.Weight:G3}, which as a 32-bit float is {(term.Weight > 1 ? "infinity" : "0")}. Weights of about 1 are usual."));
        }

        (_firstValues, _values, _scales) = (new Tensor?[_terms.Count], new Tensor[_terms.Count], new double[_terms.Count]);
        if (_terms.All(t => t.Weight == 0))
            throw new InvalidOperationException("Every term of the loss has weight 0, so nothing would be learnt. Give a term a weight above 0.");
        _sums = [.. _terms.Select(_ => zeros(1, float64, device).DetachFromDisposeScope())];
        _weights = [.. _terms.Select(t => t.Weight == 0 ? null : tensor((float)t.Weight, device: device).DetachFromDisposeScope())];
    }

    /// <summary>Checks of what the terms compute, read once an epoch.</summary>
    public DeferredChecks Checks { get; } = new();

    /// <summary>The mean of the weighted sum over the last epoch.</summary>
    public double Total { get; private set; }

    /// <summary>
    /// An estimate of the weighted sum for an untrained student, with the weights of the last epoch: the first value of each term; if the student was trained before
    /// the stage, at least the value for equal probabilities of all classes.
    /// </summary>
    public double EstimateUntrained(int classes)
    {
        return _terms.Index().Sum(term => term.Item.WeightIn(_epoch) * Untrained(term.Item.Loss.UntrainedValue(classes), _state.FirstLosses![term.Index]));

        double Untrained(double? known, double first) => known is null ? UnknownTermFactor * first : _state.IsFirst ? first : Math.Max(known.Value, first);
    }

    /// <summary>
    /// Evaluates every term and runs the backward pass of their weighted sum. The weights are passed as the gradients of the terms, so that the sum needs no node in the
    /// graph. Terms that compute their own gradients pass the sum of these to the logits directly. A term of weight 0 is only reported.
    /// </summary>
    /// <param name="inputs">The inputs of the step.</param>
    /// <param name="epoch">The epoch, from 1, for weights that warm up.</param>
    /// <param name="guard">Says whether the student may learn from the values of the terms; null if it may in any case.</param>
    /// <param name="batch">The rows of the step, for the guard.</param>
    /// <returns>Whether it may. If not, the values are not counted and there is no gradient.</returns>
    public bool Backward(LossInputs inputs, int epoch, StepGuard? guard = null, Batch? batch = null)
    {
        SetWeights(epoch);
        var roots = new List<Tensor>(_terms.Count);
        var gradients = new List<Tensor>(_terms.Count);
        Tensor? ofLogits = null;
        for (var i = 0; i < _terms.Count; i++)
        {
            if (Evaluate(i, inputs, epoch, roots, gradients) is { } gradient)
                ofLogits = ofLogits?.AddInPlace(gradient) ?? gradient;
        }

        if (guard?.AcceptsLosses(batch!, _values) == false)
            return false;
        CountValues();
        if (ofLogits is not null && roots.Count == 0 && inputs.Student.Logits.is_leaf)
        {
            inputs.Student.Logits.grad = ofLogits;
            return true;
        }

        if (ofLogits is not null)
        {
            roots.Add(inputs.Student.Logits);
            gradients.Add(ofLogits);
        }

        if (roots.Count > 0)
            autograd.backward(roots, gradients);
        return true;
    }

    /// <summary>Whether a step of the epoch counts: not all of its batches so far were skipped.</summary>
    public bool HasSteps => _steps > 0;

    /// <summary>Whether all values since the epoch began were finite; on a GPU, this waits for the device.</summary>
    public bool AreFinite() => FiniteCheck.AreFinite(_sums);

    /// <summary>Forgets the values of an epoch that is trained once more.</summary>
    public void Reset()
    {
        _steps = 0;
        foreach (var sum in _sums)
            sum.zero_();
        if (_state.FirstLosses is not null)
            return;
        // The first epoch begins once more, so its first step has the first values.
        for (var i = 0; i < _firstValues.Length; i++)
        {
            _firstValues[i]?.Dispose();
            _firstValues[i] = null;
        }
    }

    /// <summary>Returns the means of the terms over the epoch, and resets the sums for the next epoch.</summary>
    /// <param name="stage">Name of the stage, for messages.</param>
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="failure">Creates the exception if means are NaN or infinite, given the names of these terms.</param>
    /// <exception cref="InvalidOperationException">No term depended on the parameters of the student in any step, or a term could not use what it was given.</exception>
    public IReadOnlyDictionary<string, double> TakeMeans(string stage, int epoch, Func<IReadOnlyList<string>, Exception> failure)
    {
        using var scope = NewDisposeScope();
        Checks.Finish();
        var sums = _sums.Select(sum => sum.item<double>()).ToList();
        var nonFinite = _terms.Where((_, i) => !double.IsFinite(sums[i])).Select(t => t.Loss.Name).ToList();
        // Without a step that counts, every batch was skipped.
        if (nonFinite.Count > 0 || _steps == 0)
            throw failure(nonFinite.Count > 0 ? nonFinite : [.. _terms.Select(t => t.Loss.Name)]);
        if (!_gradientChecks.Any(r => r.HasReachedStudent))
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

    /// <summary>The sums so far; reading them waits for the device.</summary>
    /// <exception cref="InvalidOperationException">A term could not use what it was given.</exception>
    public LossSums Save()
    {
        Checks.Finish();
        return new(
            _steps, [.. _sums.Select(sum => sum.item<double>())], [.. _firstValues.Select(first => first?.item<double>())], [.. _gradientChecks.Select(check => check.HasReachedStudent)]);
    }

    /// <summary>Continues with sums that were saved.</summary>
    public void Restore(LossSums saved)
    {
        _steps = saved.Steps;
        for (var i = 0; i < _terms.Count; i++)
        {
            using (var sum = saved.Sums[i].ToScalar())
                _sums[i].fill_(sum);
            _firstValues[i] = saved.First[i] is { } first ? tensor([first], float64, _sums[i].device).DetachFromDisposeScope() : null;
            if (saved.Reached[i])
                _gradientChecks[i].MarkReached();
        }
    }

    public void Dispose()
    {
        Checks.Dispose();
        foreach (var tensor in _sums.Concat(_weights).Concat(_firstValues))
            tensor?.Dispose();
    }

    /// <summary>Evaluates a term, and adds it to the roots of the backward pass, or returns its gradient of the logits.</summary>
    private Tensor? Evaluate(int term, LossInputs inputs, int epoch, List<Tensor> roots, List<Tensor> gradients)
    {
        var loss = _terms[term].Loss;
        var known = inputs.Student.LogitsRequireGradient ? loss.EvaluateWithGradient(inputs, _terms[term].WeightIn(epoch)) : null;
        var value = known?.Value ?? LossValue.Evaluate(loss, inputs, checksInputs: _steps == 0 && loss.GetType().Assembly != typeof(DistillationLoss).Assembly);
        (_values[term], _scales[term]) = (value, known?.Scale ?? 1);
        if (_weights[term] is not { } weight || !(known is null ? _gradientChecks[term].HasGradient(value, inputs.Student) : _gradientChecks[term].MarkReached()))
            return null;
        if (known is not null)
            return known.Value.Gradient;
        roots.Add(value);
        gradients.Add(weight);
        return null;
    }

    private void CountValues()
    {
        _steps++;
        using var noGrad = no_grad();
        for (var i = 0; i < _terms.Count; i++)
        {
            using var scale = _scales[i].ToScalar();
            _sums[i].add_(_values[i], scale);
            // After one step, the sum is the first value of the term.
            if (_firstValues[i] is null)
                _firstValues[i] = _sums[i].clone().DetachFromDisposeScope();
        }
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
