using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Makes the student's last layer a copy of the teacher's.</summary>
internal static class LastLayerCopy
{
    /// <exception cref="InvalidOperationException">The teacher shows no last layer, or it does not fit the student.</exception>
    public static void Copy(Stage stage, Network student)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var layer = stage.Teacher?.GetLastLayer() ?? throw new InvalidOperationException(
            $"Stage '{stage.Name}' keeps the teacher's last linear layer, and this teacher shows none: it is no network that ends in a linear layer, or its classes had to be merged for the student's. " +
            "Use a network that is trained in the fit (Teacher.Train, Route.Train) or its checkpoints (Route.FromCheckpoints).");
        var head = student.Head;
        if (!head.Weight.shape.AsSpan().SequenceEqual(layer.Weight.shape))
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"Stage '{stage.Name}': the teacher's last layer is {NumberText.Join(layer.Weight.shape)} (classes, embedding), the student's {NumberText.Join(head.Weight.shape)}. Give the student as NetworkSpec.Projected(student, {layer.Weight.shape[1]})."));
        }

        head.Weight.copy_(layer.Weight);
        head.Bias.copy_(layer.Bias);
    }
}
