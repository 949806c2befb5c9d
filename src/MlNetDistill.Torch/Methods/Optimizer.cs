using MlNetDistill.Core;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Methods;

/// <summary>
/// How weights follow gradients; each training stage begins with a fresh <see cref="OptimizerState"/>. Derive from it for an optimiser of your own.
/// </summary>
/// <remarks>
/// TorchSharp's own optimisers are not used: they leave every number of every step to the finaliser, which can free it while it is in use (see
/// <see cref="TensorArithmetic"/>).
/// </remarks>
public abstract record Optimizer
{
    /// <summary>An optimiser with these settings.</summary>
    /// <param name="learningRate">The peak learning rate, above 0.</param>
    /// <param name="weightDecay">Weight decay, 0 or more; <see cref="Update"/> applies it.</param>
    protected Optimizer(double learningRate, double weightDecay = 0) => (LearningRate, WeightDecay) = (learningRate, weightDecay);

    /// <summary>The peak learning rate; the schedule scales it. Above 0.</summary>
    public double LearningRate { get; init; }

    /// <summary>Weight decay over all parameters, 0 or more.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Stochastic gradient descent with momentum.</summary>
    /// <param name="learningRate">Peak learning rate, above 0.</param>
    /// <param name="momentum">Momentum, in [0, 1). The one-cycle schedule moves it within its own bounds instead.</param>
    /// <param name="nesterov">Whether momentum looks ahead (Nesterov); needs a momentum above 0.</param>
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

    /// <summary>About how far training can move a weight at most, by the sum of the learning rates of its steps; infinite where that is not known.</summary>
    internal virtual double MaxWeightChange(double sumOfRates) => double.PositiveInfinity;

    /// <summary>The reach below which a fresh network has hardly learnt anything, by what was seen on small sets.</summary>
    internal virtual double MinWeightChange => 1;

    /// <summary>One step over the parameters of <paramref name="state"/>.</summary>
    /// <param name="state">The parameters, with their gradients, and what this optimiser keeps for them.</param>
    /// <param name="learningRate">The learning rate of the step.</param>
    /// <param name="momentum">The momentum that the schedule sets; null for the optimiser's own.</param>
    internal void Step(OptimizerState state, double learningRate, double? momentum)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        state.Steps++;
        // A rule of the application's own may be wrong: its first step tells, and one look costs nothing.
        var isTried = state.Steps == 1 && GetType().Assembly != typeof(Optimizer).Assembly && state.Parameters.All(p => IsFinite(p.Value) && IsFinite(p.Value.grad));
        var before = isTried ? state.Parameters.Select(p => p.Value.clone()).ToList() : [];
        Update(new OptimizerStep(state, learningRate, momentum));
        if (isTried && state.Parameters.FirstOrDefault(p => !IsFinite(p.Value)) is { } ruined)
        {
            throw new InvalidOperationException(
                Invariant($"The optimizer {this} made weights of '{ruined.Name}' NaN or infinite in its first step, from finite weights and gradients, at the learning rate {learningRate:G6}. ") +
                "Look at its Update: a division by 0, or a root of a number below 0.");
        }

        if (isTried && learningRate > 0 && state.Parameters.Any(p => p.Value.grad is { } gradient && gradient.count_nonzero().item<long>() > 0)
            && state.Parameters.Zip(before).All(pair => pair.First.Value.eq(pair.Second).all().item<bool>()))
        {
            throw new InvalidOperationException(
                Invariant($"The optimizer {this} changed no weight in its first step, at the learning rate {learningRate:G6} and with gradients that are not 0. ") +
                "Its Update must change Value of the parameters in place, for example with add_.");
        }
    }

    private static bool IsFinite(Tensor? values) => values is null || values.isfinite().all().item<bool>();
}
