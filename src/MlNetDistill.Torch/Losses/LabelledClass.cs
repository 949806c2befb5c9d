using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>The labelled class of each row against all others, computed with logsumexp.</summary>
internal static class LabelledClass
{
    /// <summary>Where a column is the class of its row: B×K booleans; all false in a row without a label.</summary>
    public static Tensor Mask(Tensor classes, Tensor logProbabilities) =>
        classes.unsqueeze(1).eq(TensorArithmetic.Range(logProbabilities.shape[1], classes.device));

    /// <summary>log p of the class and of all other classes together, B×1 each, and log p with -∞ at the class.</summary>
    public static (Tensor Label, Tensor AllOthers, Tensor Others) Split(Tensor logProbabilities, Tensor isLabel)
    {
        var others = logProbabilities.MaskedFill(isLabel, double.NegativeInfinity);
        return (logProbabilities.mul(isLabel).sum(1, true), others.logsumexp(1, true), others);
    }

    /// <exception cref="InvalidOperationException">There is one class.</exception>
    public static void RequireTwoClasses(Tensor logProbabilities, string loss)
    {
        if (logProbabilities.shape[1] < 2)
            throw new InvalidOperationException($"{loss} needs at least two classes: it compares the labelled class with the others.");
    }
}
