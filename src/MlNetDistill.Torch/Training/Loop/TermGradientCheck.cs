using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Whether a term of a loss teaches the student: whether its value depends on parameters that train. One that was cut off from them (<c>detach</c>, a computation
/// outside of torch, features of a frozen part) would train nothing without a word, or its projections alone.
/// </summary>
/// <param name="term">Name of the term.</param>
/// <param name="learning">The student's parameters that train.</param>
internal sealed class TermReach(string term, IReadOnlyList<Tensor> learning)
{
    /// <summary>Whether a value of the term was seen to reach the student.</summary>
    public bool IsFound { get; private set; }

    /// <summary>The term states its gradient towards the student's logits itself.</summary>
    public bool LearnsFromLogits() => IsFound = true;

    /// <summary>Whether a batch's value has a gradient to send back.</summary>
    /// <exception cref="InvalidOperationException">The value is cut off from the student.</exception>
    public bool Learns(Tensor value, NetworkOutput student)
    {
        // Found once for a stage: it costs a part of a step.
        if (value.requires_grad && (IsFound || (IsFound = Reaches(value, [.. student.All]) || Reaches(value, learning))))
            return true;
        // A batch in which there is nothing to compare may be worth 0.
        if (value.to(float64).item<double>() == 0)
            return false;
        throw new InvalidOperationException(
            $"The loss term '{term}' does not reach the student's parameters, so nothing would be learnt from it. Compute it from LossInputs.Student by tensor operations, without " +
            "detach(), no_grad() or item(), and from a part of the student that trains in this stage. To report a value alone, give its term the weight 0.");
    }

    /// <summary>Nothing was learnt in an epoch.</summary>
    public static InvalidOperationException NothingLearnt(string stage, int epoch) => new(
        FormattableString.Invariant($"The loss of stage '{stage}' was 0 in every step of epoch {epoch} and does not depend on the student's parameters, so nothing was learnt. Compute it from LossInputs.Student."));

    private static bool Reaches(Tensor value, IReadOnlyList<Tensor> from)
    {
        Tensor[] learning = [.. from.Where(t => t.requires_grad)];
        if (learning.Length == 0)
            return false;
        // Not autograd.grad: TorchSharp does not catch what fails in it, which would end the process.
        autograd.backward([value], null, retain_graph: true, inputs: learning);
        var reached = learning.Any(t => t.grad is not null);
        foreach (var tensor in learning)
            tensor.grad = null;
        return reached;
    }
}
