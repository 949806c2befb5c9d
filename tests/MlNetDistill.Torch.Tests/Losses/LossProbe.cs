using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A loss on given logits: its value and its gradient towards the student's logits.</summary>
internal static class LossProbe
{
    public static (double Value, double[] Gradient) Evaluate(
        DistillationLoss loss, Tensor student, Tensor? teacher, Tensor labels, Tensor? weights = null, bool mayMissLabels = false)
    {
        using var scope = NewDisposeScope();
        var logits = student.detach().clone().requires_grad_(true);
        var output = teacher is null ? null : NetworkOutput.OfLogits(teacher);
        var value = loss.Evaluate(new LossInputs(NetworkOutput.OfLogits(logits), output, labels, weights, mayMissLabels));
        Assert.That(value.dim(), Is.Zero, "a loss is a scalar");
        value.backward();
        return (value.to(float64).item<double>(), logits.grad is { } gradient ? Near.Values(gradient) : new double[logits.numel()]);
    }

    /// <summary>Normal logits, the same for the same seed.</summary>
    public static Tensor Logits(int rows, int classes, ulong seed, double scale = 2, ScalarType type = ScalarType.Float64)
    {
        using var generator = new Generator(seed);
        using var noGrad = no_grad();
        return empty(rows, classes, dtype: ScalarType.Float64).normal_(0, scale, generator).to(type);
    }

    public static Tensor Labels(params long[] labels) => tensor(labels);

    /// <summary>Labels 0, 1, 2, … over and over.</summary>
    public static Tensor CyclicLabels(int rows, int classes) => tensor(Enumerable.Range(0, rows).Select(i => (long)(i % classes)).ToArray());
}
