using MlNetDistill.Methods;
using TorchSharp;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>v ← μv + g; w ← w - ηv: it keeps a tensor for each parameter.</summary>
internal sealed record HeavyBall(double LearningRate, double Momentum) : Optimizer(LearningRate)
{
    protected override void Update(OptimizerStep step)
    {
        using var kept = (step.Momentum ?? Momentum).ToScalar();
        using var down = (-step.LearningRate).ToScalar();
        using var one = 1.ToScalar();
        foreach (var (parameter, gradient) in step.Gradients())
            parameter.Value.add_(parameter.Tensor("velocity").mul_(kept).add_(gradient, one), down);
    }
}
