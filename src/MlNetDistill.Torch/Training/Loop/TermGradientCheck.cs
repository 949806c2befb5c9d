using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Whether a term of a loss teaches the student: whether its value depends on parameters that train. One that was cut off from them (<c>detach</c>, a computation
/// outside of torch, features of a frozen part) would train nothing without a word, or its projections alone.
/// </summary>
/// <param name="term">Name of the term.</param>
/// <param name="trainable">The student's parameters that train.</param>
internal sealed class TermGradientCheck(string term, IReadOnlyList<Tensor> trainable)
{
    /// <summary>Whether a value of the term was seen to reach the student.</summary>
    public bool HasReachedStudent { get; private set; }

    /// <summary>The term states its gradient towards the student's logits itself.</summary>
    public bool MarkReached() => HasReachedStudent = true;

    /// <summary>Whether a batch's value has a gradient to send back.</summary>
    /// <exception cref="InvalidOperationException">The value is cut off from the student.</exception>
    public bool HasGradient(Tensor value, NetworkOutput student)
    {
        // Found once for a stage: it costs a part of a step.
        if (value.requires_grad && (HasReachedStudent || (HasReachedStudent = DependsOn(value, [.. student.All]) || DependsOn(value, trainable))))
            return true;
        // A batch in which there is nothing to compare may be worth 0.
        if (value.to(float64).item<double>() == 0)
            return false;
        throw new InvalidOperationException(
            $"The loss term '{term}' does not reach the student's parameters, so nothing would be learnt from it. Compute it from LossInputs.Student by tensor operations, without " +
            "detach(), no_grad() or item(), and from a part of the student that trains in this stage. To report a value alone, give its term the weight 0.");
    }

    /// <summary>Nothing was learnt in an epoch.</summary>
    public static InvalidOperationException CreateNothingLearntError(string stage, int epoch) => new(
        FormattableString.Invariant($"The loss of stage '{stage}' was 0 in every step of epoch {epoch} and does not depend on the student's parameters, so nothing was learnt. Compute it from LossInputs.Student."));

    private static bool DependsOn(Tensor value, IReadOnlyList<Tensor> from)
    {
        Tensor[] withGradient = [.. from.Where(t => t.requires_grad)];
        if (withGradient.Length == 0)
            return false;
        // Not autograd.grad: TorchSharp does not catch what fails in it, which would end the process.
        autograd.backward([value], null, retain_graph: true, inputs: withGradient);
        var reached = withGradient.Any(t => t.grad is not null);
        foreach (var tensor in withGradient)
            tensor.grad = null;
        return reached;
    }
}
