using System.Runtime.InteropServices;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What a term of a loss gives for a batch, checked: it may be the application's own.</summary>
internal static class LossValue
{
    /// <param name="loss">The term.</param>
    /// <param name="inputs">What it reads.</param>
    /// <param name="isTried">Whether to find out that the term wrote into its inputs, which costs a copy of them.</param>
    /// <exception cref="InvalidOperationException">It is no scalar, libtorch failed while it was computed, or the term disposed of its inputs or wrote into them.</exception>
    public static Tensor Of(DistillationLoss loss, LossInputs inputs, bool isTried)
    {
        var before = isTried ? inputs.Copies(loss.TeacherNeeds != ModelOutputs.None) : [];
        var value = Evaluated(loss, inputs);
        if (inputs.DisposedInputs is { } gone)
        {
            throw new InvalidOperationException(
                $"The loss term '{loss.Name}' disposed of {gone}, which other terms and the training read too. Let Evaluate dispose only of tensors that it made itself.");
        }

        if (before.FirstOrDefault(input => !input.Given.allclose(input.Copy, rtol: 0, atol: 0, equal_nan: true)).What is { } written)
        {
            throw new InvalidOperationException(
                $"The loss term '{loss.Name}' wrote into {written}, which other terms and the training read too. Let Evaluate change only tensors that it made itself, for example a clone().");
        }

        if (value is null)
            throw new InvalidOperationException($"The loss term '{loss.Name}' must give a scalar; it gave null. Return a tensor from Evaluate in every case.");
        if (value.IsInvalid)
        {
            throw new InvalidOperationException(
                $"The loss term '{loss.Name}' gave a tensor that is disposed. Where Evaluate opens a dispose scope, return the value with MoveToOuterDisposeScope().");
        }

        return value.dim() == 0
            ? value
            : throw new InvalidOperationException($"The loss term '{loss.Name}' must give a scalar; it gave [{string.Join(", ", value.shape)}].");
    }

    private static Tensor? Evaluated(DistillationLoss loss, LossInputs inputs)
    {
        try
        {
            return loss.Evaluate(inputs);
        }
        catch (ExternalException e)
        {
            throw new InvalidOperationException($"The loss term '{loss.Name}' failed: {NativeErrorMessage.Summarize(e.Message)}", e);
        }
    }
}
