using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Central differences in double precision: an opinion on a gradient that knows nothing of autograd.</summary>
internal static class FiniteDifferences
{
    private const double Step = 1e-5;

    /// <summary>The gradient towards the student's logits.</summary>
    public static void Check(
        DistillationLoss loss, Tensor student, Tensor? teacher, Tensor labels, Tensor? weights = null, bool mayMissLabels = false) =>
        Check(loss, Outputs.EndingInLogits(student), teacher is null ? null : Outputs.EndingInLogits(teacher), labels, weights, mayMissLabels);

    /// <summary>The gradient towards each of the student's outputs.</summary>
    public static void Check(
        DistillationLoss loss,
        Outputs student,
        Outputs? teacher,
        Tensor? labels = null,
        Tensor? weights = null,
        bool mayMissLabels = false,
        params nn.Module<Tensor, Tensor>[] projections)
    {
        labels ??= zeros(student.Tensors[0].shape[0], int64);
        (double Value, double[][] Gradients) With(int index, Tensor tensor) => LossProbe.Evaluate(
            loss,
            student with { Tensors = [.. student.Tensors.Select((t, i) => i == index ? tensor : t)] },
            teacher,
            labels,
            weights,
            mayMissLabels,
            projections);
        var gradients = With(0, student.Tensors[0]).Gradients;
        for (var i = 0; i < gradients.Length; i++)
        {
            var (index, shape) = (i, student.Tensors[i].shape);
            var expected = Differences(Near.Values(student.Tensors[i]), at => With(index, tensor(at).reshape(shape)).Value);
            Near.Array(gradients[i], expected, 1e-8, 1e-10, $"gradient against finite differences, output {i}");
        }
    }

    /// <summary>The gradient towards the parameters of a projection.</summary>
    public static void CheckParameters(DistillationLoss loss, Outputs student, Outputs teacher, nn.Module<Tensor, Tensor> projection)
    {
        double Value() => LossProbe.Evaluate(loss, student, teacher, zeros(student.Tensors[0].shape[0], int64), projections: [projection]).Value;
        foreach (var parameter in projection.parameters())
            parameter.grad = null;
        Value();
        // Every further evaluation adds to the gradients, so they are read first.
        var gradients = projection.named_parameters().Select(p => (p.name, p.parameter, Gradient: Near.Values(p.parameter.grad!))).ToList();
        foreach (var (name, parameter, gradient) in gradients)
        {
            var at = Near.Values(parameter);
            Near.Array(gradient, Differences(at, Value, v => Set(parameter, v)), 1e-8, 1e-9, $"gradient of {name}");
            Set(parameter, at);
        }
    }

    private static double[] Differences(double[] at, Func<double> value, Action<double[]> set) => Differences(at, moved =>
    {
        set(moved);
        return value();
    });

    private static double[] Differences(double[] at, Func<double[], double> value)
    {
        var differences = new double[at.Length];
        for (var i = 0; i < at.Length; i++)
        {
            double[] above = [.. at], below = [.. at];
            above[i] += Step;
            below[i] -= Step;
            differences[i] = (value(above) - value(below)) / (2 * Step);
        }

        return differences;
    }

    private static void Set(Tensor parameter, double[] values)
    {
        using var noGrad = no_grad();
        parameter.copy_(tensor(values).reshape(parameter.shape));
    }
}
