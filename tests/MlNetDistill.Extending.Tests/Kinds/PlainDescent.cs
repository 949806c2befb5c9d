using MlNetDistill.Methods;
using TorchSharp;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>w ← w - η·g / divisor; a divisor of 0 is for a test of errors.</summary>
internal sealed record PlainDescent(double LearningRate, double Divisor = 1) : Optimizer(LearningRate)
{
    protected override void Update(OptimizerStep step)
    {
        using var down = (-step.LearningRate / Divisor).ToScalar();
        foreach (var (parameter, gradient) in step.Gradients())
            parameter.Value.add_(gradient, down);
    }
}
