using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Checks that the value of a loss term depends on trainable parameters of the student. A term that does not (because of <c>detach</c>, a computation outside of torch,
/// or features of a frozen part) would silently train nothing, or only its projections.
/// </summary>
/// <param name="term">Name of the term.</param>
/// <param name="trainable">The trainable parameters of the student.</param>
internal sealed class TermGradientCheck(string term, IReadOnlyList<Tensor> trainable)
{
    /// <summary>Whether some value of the term depended on parameters of the student.</summary>
    public bool HasReachedStudent { get; private set; }

    /// <summary>Records that the term computes its own gradient with respect to the logits.</summary>
    public bool MarkReached() => HasReachedStudent = true;

    /// <summary>Whether the value for a batch has a gradient.</summary>
    /// <exception cref="InvalidOperationException">The value does not depend on the student.</exception>
    public bool HasGradient(Tensor value, NetworkOutput student)
    {
        // Once per stage is enough, because it costs a part of a step.
        if (value.requires_grad && (HasReachedStudent || (HasReachedStudent = DependsOn(value, [.. student.All]) || DependsOn(value, trainable))))
            return true;
        // A batch without anything to compare may have the loss 0.
        if (value.to(float64).item<double>() == 0)
            return false;
        throw new InvalidOperationException(
            $"The loss term '{term}' does not depend on the student's parameters, so nothing would be learnt from it. Compute it from LossInputs.Student by tensor operations, without " +
            "detach(), no_grad() or item(), and from a part of the student that trains in this stage. To only report a value, give its term the weight 0.");
    }

    /// <summary>Creates the error of an epoch in which nothing was learnt.</summary>
    public static InvalidOperationException CreateNothingLearntError(string stage, int epoch) => new(
        FormattableString.Invariant($"The loss of stage '{stage}' was 0 in every step of epoch {epoch} and does not depend on the student's parameters, so nothing was learnt. Compute it from LossInputs.Student."));

    private static bool DependsOn(Tensor value, IReadOnlyList<Tensor> from)
    {
        Tensor[] withGradient = [.. from.Where(t => t.requires_grad)];
        if (withGradient.Length == 0)
            return false;
        // Not autograd.grad: TorchSharp does not catch native exceptions there, so an error would end the process.
        autograd.backward([value], null, retain_graph: true, inputs: withGradient);
        var reached = withGradient.Any(t => t.grad is not null);
        foreach (var tensor in withGradient)
            tensor.grad = null;
        return reached;
    }
}
