using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Connects each of several student taps to the channels of its teacher tap: a 1×1 convolution without bias and batch normalization, for vectors a linear layer without
/// bias. A tap that has as many channels as the teacher's stays as it is.
/// </summary>
internal static class TapConnectors
{
    public static IReadOnlyList<nn.Module<Tensor, Tensor>> Create(
        IReadOnlyList<(int Student, int Teacher)> taps, OutputShapes student, OutputShapes teacher, DistillationLoss loss, Generator generator)
    {
        var connectors = new List<nn.Module<Tensor, Tensor>>();
        foreach (var (from, to) in TapFeatures.Select(taps, student.StageFeatures, teacher.StageFeatures, loss))
        {
            TapFeatures.CheckSameKind(from, to, loss);
            if (from[0] != to[0])
                connectors.Add(from.Length == 1 ? FeatureAdapter.Linear(from[0], to[0], false, generator) : FeatureAdapter.Pointwise(from[0], to[0], generator));
        }

        return connectors;
    }

    /// <summary>The features of all taps, the student's connected by the connectors of <paramref name="owner"/>.</summary>
    public static (Tensor[] Student, Tensor[] Teacher) Connect(IReadOnlyList<(int Student, int Teacher)> taps, LossInputs inputs, DistillationLoss owner)
    {
        var pairs = TapFeatures.Select(taps, inputs.Student.StageFeatures, inputs.Teacher.StageFeatures, owner).ToArray();
        var used = 0;
        Tensor Apply((Tensor Student, Tensor Teacher) pair) =>
            pair.Student.shape[1] == pair.Teacher.shape[1] ? pair.Student : inputs.ProjectionsFor(owner)[used++].call(pair.Student);
        return ([.. pairs.Select(Apply)], [.. pairs.Select(pair => pair.Teacher.detach())]);
    }

    /// <summary>The weight of the i-th of n taps, both from 1: the last one counts 1, each one before it half of the next.</summary>
    public static double Weight(int tap, int taps) => Math.Pow(2, tap - taps);
}
