using TorchSharp;

namespace MlNetDistill.Methods;

/// <summary>PyTorch's AdamW (Loshchilov and Hutter 2019, algorithm 2), β₁ = 0.9 unless the schedule moves it, β₂ = 0.999, ε = 1e-8.</summary>
internal sealed record AdamWOptimizer(double LearningRate, double WeightDecay) : Optimizer(LearningRate, WeightDecay)
{
    private const double MeanDecay = 0.9;
    private const double SquareDecay = 0.999;
    private const double Epsilon = 1e-8;

    // However large the gradient, a step is hardly larger than its learning rate.
    internal override double MaxWeightChange(double sumOfRates) => sumOfRates;

    internal override double MinWeightChange => 0.3;

    protected override void Update(OptimizerStep step)
    {
        var meanDecay = step.Momentum ?? MeanDecay;
        using var decay = (1 - (step.LearningRate * WeightDecay)).ToScalar();
        using var beta1 = meanDecay.ToScalar();
        using var rest1 = (1 - meanDecay).ToScalar();
        using var beta2 = SquareDecay.ToScalar();
        using var rest2 = (1 - SquareDecay).ToScalar();
        using var correction2 = Math.Sqrt(1 - Math.Pow(SquareDecay, step.Number)).ToScalar();
        using var epsilon = Epsilon.ToScalar();
        using var down = (-step.LearningRate / (1 - Math.Pow(meanDecay, step.Number))).ToScalar();
        using var one = 1.ToScalar();
        foreach (var (parameter, gradient) in step.Gradients())
        {
            var (mean, square) = (parameter.Tensor("mean"), parameter.Tensor("square"));
            parameter.Value.mul_(decay);
            mean.mul_(beta1).add_(gradient, rest1);
            square.mul_(beta2).addcmul_(gradient, gradient, rest2);
            using var root = square.sqrt();
            parameter.Value.addcdiv_(mean, root.div_(correction2).add_(epsilon, one), down);
        }
    }
}
