using System.Runtime.InteropServices;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Evaluates a term of a loss and checks its value, because the term may be user-defined.</summary>
internal static class LossValue
{
    /// <param name="loss">The term.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="checksInputs">Whether to check that the term did not write into its inputs, which costs a copy of them.</param>
    /// <exception cref="InvalidOperationException">The value is not a scalar, libtorch failed, or the term disposed its inputs or wrote into them.</exception>
    public static Tensor Evaluate(DistillationLoss loss, LossInputs inputs, bool checksInputs)
    {
        var before = checksInputs ? inputs.Copies(loss.TeacherNeeds != ModelOutputs.None) : [];
        var value = EvaluateTerm(loss, inputs);
        if (inputs.DisposedInputs is { } disposed)
        {
            throw new InvalidOperationException(
                $"The loss term '{loss.Name}' disposed of {disposed}, which other terms and the training read too. Let Evaluate dispose only of tensors that it made itself.");
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

    private static Tensor? EvaluateTerm(DistillationLoss loss, LossInputs inputs)
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
