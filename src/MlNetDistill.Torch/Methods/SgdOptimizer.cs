using MlNetDistill.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Methods;

/// <summary>PyTorch's SGD: g ← g + λw; v ← μv + g; w ← w - η(g + μv) with Nesterov, else w ← w - ηv.</summary>
internal sealed record SgdOptimizer(double LearningRate, double Momentum, bool Nesterov, double WeightDecay) : Optimizer(LearningRate, WeightDecay)
{
    public override IEnumerable<string> Validate() =>
    [
        .. base.Validate(),
        .. Faults.ShareBelow1("The optimizer's Momentum", Momentum),
        .. Faults.Unless(!Nesterov || Momentum != 0, $"Nesterov momentum needs a Momentum above 0; was 0."),
    ];

    protected override void Update(OptimizerStep step)
    {
        var momentum = step.Momentum ?? Momentum;
        using var decay = WeightDecay.ToScalar();
        using var momentumFactor = momentum.ToScalar();
        using var down = (-step.LearningRate).ToScalar();
        foreach (var (parameter, gradient) in step.Gradients())
        {
            if (WeightDecay != 0)
                gradient.add_(parameter.Value, decay);
            parameter.Value.add_(momentum == 0 ? gradient : ApplyMomentum(parameter, gradient, momentumFactor), down);
        }
    }

    // For gradients of a norm of about 1, which momentum multiplies by up to 1 / (1 - μ).
    internal override double MaxWeightChange(double sumOfRates) => sumOfRates / (1 - Momentum);

    private Tensor ApplyMomentum(ParameterState parameter, Tensor gradient, Scalar momentum)
    {
        var velocity = parameter.Tensor("velocity");
        velocity.mul_(momentum).AddInPlace(gradient);
        return Nesterov ? gradient.add_(velocity, momentum) : velocity;
    }
}
