using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Central differences in double precision: an opinion on a gradient that knows nothing of autograd.</summary>
internal static class FiniteDifferences
{
    private const double Step = 1e-5;

    public static void Check(
        DistillationLoss loss, Tensor student, Tensor? teacher, Tensor labels, Tensor? weights = null, bool mayMissLabels = false)
    {
        double At(double[] logits) =>
            LossProbe.Evaluate(loss, tensor(logits).reshape(student.shape), teacher, labels, weights, mayMissLabels).Value;
        var gradient = LossProbe.Evaluate(loss, student, teacher, labels, weights, mayMissLabels).Gradient;
        var at = Near.Values(student);
        var expected = new double[at.Length];
        for (var i = 0; i < at.Length; i++)
        {
            double[] above = [.. at], below = [.. at];
            above[i] += Step;
            below[i] -= Step;
            expected[i] = (At(above) - At(below)) / (2 * Step);
        }

        Near.Array(gradient, expected, 1e-8, 1e-10, "gradient against finite differences");
    }
}
