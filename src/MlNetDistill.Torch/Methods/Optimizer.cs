using MlNetDistill.Core;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Methods;

/// <summary>
/// How weights are updated from gradients. Each training stage begins with a new <see cref="OptimizerState"/>. Derive your own optimizer from it.
/// </summary>
/// <remarks>
/// TorchSharp's own optimizers are not used, because they do not dispose the numbers of a step: the finalizer can free one while native code reads it (see
/// <see cref="TensorArithmetic"/>).
/// </remarks>
public abstract record Optimizer
{
    // Gradients are collected over a few steps, to stand for a larger batch.
    private const int MaxCollectedSteps = 100;

    /// <summary>An optimizer with these settings.</summary>
    /// <param name="learningRate">The peak learning rate, above 0.</param>
    /// <param name="weightDecay">Weight decay, 0 or more; <see cref="Update"/> applies it.</param>
    protected Optimizer(double learningRate, double weightDecay = 0) => (LearningRate, WeightDecay) = (learningRate, weightDecay);

    /// <summary>The peak learning rate; the schedule scales it. Above 0.</summary>
    public double LearningRate { get; init; }

    /// <summary>Weight decay over all parameters, 0 or more.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Stochastic gradient descent with momentum.</summary>
    /// <param name="learningRate">Peak learning rate, above 0.</param>
    /// <param name="momentum">Momentum, in [0, 1). The one-cycle schedule replaces it.</param>
    /// <param name="nesterov">Whether to use Nesterov momentum, which needs a momentum above 0.</param>
    /// <param name="weightDecay">L2 penalty on all parameters, 0 or more.</param>
    public static Optimizer Sgd(double learningRate = 0.1, double momentum = 0.9, bool nesterov = true, double weightDecay = 1e-4) =>
        new SgdOptimizer(learningRate, momentum, nesterov, weightDecay);

    /// <summary>AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019), β = (0.9, 0.999).</summary>
    /// <param name="learningRate">Peak learning rate, above 0.</param>
    /// <param name="weightDecay">Decoupled decay, 0 or more.</param>
    public static Optimizer AdamW(double learningRate = 0.002, double weightDecay = 0.01) => new AdamWOptimizer(learningRate, weightDecay);

    /// <summary>Its kind and its settings, in a line where they fit in one.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings, each as one sentence.</summary>
    public virtual IEnumerable<string> Validate() =>
    [
        .. Faults.Above0("The optimizer's LearningRate", LearningRate),
        .. Faults.AtLeast0("The optimizer's WeightDecay", WeightDecay),
    ];

    /// <summary>Changes every parameter that has a gradient, in place; no gradients are recorded meanwhile.</summary>
    /// <param name="step">The parameters with their gradients, what is kept for them, and the step's learning rate.</param>
    protected abstract void Update(OptimizerStep step);

    /// <summary>The approximate maximum change of a weight, from the sum of the learning rates of all steps; infinite if not known.</summary>
    internal virtual double MaxWeightChange(double sumOfRates) => double.PositiveInfinity;

    /// <summary>The maximum change of a weight below which an untrained network has learnt hardly anything, measured on small sets.</summary>
    internal virtual double MinWeightChange => 1;

    /// <summary>One step over the parameters of <paramref name="state"/>.</summary>
    /// <param name="state">The parameters, with their gradients, and what this optimizer keeps for them.</param>
    /// <param name="learningRate">The learning rate of the step.</param>
    /// <param name="momentum">The momentum that the schedule sets; null for the optimizer's own.</param>
    internal void Step(OptimizerState state, double learningRate, double? momentum)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        state.Steps++;
        // The update of a user-defined optimizer may be wrong; checking the first step finds that and costs little.
        var isFirst = state.Steps == 1 && GetType().Assembly != typeof(Optimizer).Assembly;
        var isChecked = isFirst && state.Parameters.All(p => IsFinite(p.Value) && IsFinite(p.Value.grad));
        var before = isChecked ? state.Parameters.Select(p => p.Value.clone()).ToList() : [];
        Update(new OptimizerStep(state, learningRate, momentum));
        if (isFirst && state.Parameters.SelectMany(p => p.Tensors.Select(t => ($"the tensor '{t.Key}' of '{p.Name}'", t.Value)).Prepend(($"the weights of '{p.Name}'", p.Value)))
            .FirstOrDefault(t => t.Item2.IsInvalid).Item1 is { } disposed)
        {
            throw new InvalidOperationException($"The optimizer {this} disposed of {disposed} in its first step. Its Update must leave Value and the tensors of each parameter; only gradients and what it made itself may be disposed of.");
        }

        if (isChecked && state.Parameters.FirstOrDefault(p => !IsFinite(p.Value)) is { } invalid)
        {
            throw new InvalidOperationException(
                Invariant($"The optimizer {this} made weights of '{invalid.Name}' NaN or infinite in its first step, from finite weights and gradients, at the learning rate {learningRate:G6}. ") +
                "Look at its Update: a division by 0, or a root of a number below 0.");
        }

        if (isChecked && learningRate > 0 && state.Parameters.Any(p => HasValues(p.Value.grad)))
            state.InitialWeights = [.. before.Select(weights => weights.DetachFromDisposeScope())];
        if (state.InitialWeights is not null)
            CheckChange(state, learningRate);
    }

    /// <summary>
    /// Refuses an update that changes no weight, until it has changed one. An optimizer that keeps something may collect the gradients of several steps first.
    /// </summary>
    private void CheckChange(OptimizerState state, double learningRate)
    {
        var unchanged = state.Parameters.Zip(state.InitialWeights!).All(pair => pair.First.Value.eq(pair.Second).all().item<bool>());
        var mayCollect = state.Parameters.Any(p => p.Tensors.Values.Any(HasValues));
        if (!unchanged)
            state.ReleaseInitialWeights();
        else if (!mayCollect || state.Steps >= MaxCollectedSteps)
        {
            throw new InvalidOperationException(
                Invariant($"The optimizer {this} changed no weight in its first {(state.Steps == 1 ? "step" : $"{state.Steps} steps")}, at the learning rate {learningRate:G6} and with gradients that are not 0. ") +
                Invariant($"Its Update must change Value of the parameters in place, for example with add_; to collect the gradients of up to {MaxCollectedSteps} steps, keep their sum in Tensor of each parameter."));
        }
    }

    private static bool HasValues(Tensor? values) => values is not null && values.count_nonzero().item<long>() > 0;

    private static bool IsFinite(Tensor? values) => values is null || values.isfinite().all().item<bool>();
}
