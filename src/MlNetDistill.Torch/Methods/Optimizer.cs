using MlNetDistill.Core;
using TorchSharp.Modules;
using static System.FormattableString;

namespace MlNetDistill.Methods;

/// <summary>How weights follow gradients; a fresh one works in each training stage.</summary>
public abstract record Optimizer
{
    private protected Optimizer(double learningRate, double weightDecay) => (LearningRate, WeightDecay) = (learningRate, weightDecay);

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
    public sealed override string ToString() => SettingText.Of(this);

    /// <summary>What is wrong with these settings, each as one sentence.</summary>
    public virtual IEnumerable<string> Validate()
    {
        if (!(LearningRate > 0 && double.IsFinite(LearningRate)))
            yield return Invariant($"The optimizer's LearningRate must be above 0; was {LearningRate}.");
        if (!(WeightDecay >= 0 && double.IsFinite(WeightDecay)))
            yield return Invariant($"The optimizer's WeightDecay must be at least 0; was {WeightDecay}.");
    }

    /// <summary>About how far training can move a weight at most, by the sum of the learning rates of its steps.</summary>
    internal abstract double Reach(double sumOfRates);

    /// <summary>The reach below which a fresh network has hardly learnt anything, by what was seen on small sets.</summary>
    internal abstract double LeastReach { get; }

    internal abstract UpdateRule Create(IEnumerable<Parameter> parameters);
}

internal sealed record SgdOptimizer(double LearningRate, double Momentum, bool Nesterov, double WeightDecay) : Optimizer(LearningRate, WeightDecay)
{
    public override IEnumerable<string> Validate()
    {
        foreach (var fault in base.Validate())
            yield return fault;
        if (!(Momentum >= 0 && Momentum < 1))
            yield return Invariant($"The optimizer's Momentum must be in [0, 1); was {Momentum}.");
        if (Nesterov && Momentum == 0)
            yield return "Nesterov momentum needs a Momentum above 0; was 0.";
    }

    // A gradient of a norm of about 1, that is, and what momentum makes of it.
    internal override double Reach(double sumOfRates) => sumOfRates / (1 - Momentum);

    internal override double LeastReach => 1;

    internal override UpdateRule Create(IEnumerable<Parameter> parameters) =>
        new SgdRule(parameters, Nesterov, WeightDecay) { LearningRate = LearningRate, Momentum = Momentum };
}

internal sealed record AdamWOptimizer(double LearningRate, double WeightDecay) : Optimizer(LearningRate, WeightDecay)
{
    // However large the gradient, a step is hardly longer than its rate.
    internal override double Reach(double sumOfRates) => sumOfRates;

    internal override double LeastReach => 0.3;

    internal override UpdateRule Create(IEnumerable<Parameter> parameters) =>
        new AdamWRule(parameters, WeightDecay) { LearningRate = LearningRate, Momentum = 0.9 };
}
