using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// How a teacher rescales the gradient of each row (Tang et al. 2020): ω = (1 - α) + α T (ρ_y - p_y(s; T)) / (1 - p_y(s; 1)), the ratio of the gradient of
/// (1 - α) · cross-entropy + α T² · KL(ρ ‖ p(s; T)) to that of cross-entropy alone, at the logit of the label y. The gradients of all other classes
/// together have the same ratio, because both gradients sum to 0.
/// </summary>
/// <remarks>
/// Below 1 the row teaches less than by its label alone, above 1 more; below 0 the teacher pushes the probability of the label down. Only ρ_y counts, so
/// <see cref="TeacherTargets.TrueClass"/> and <see cref="TeacherTargets.Full"/> have the same ω in every row. The formula is derived from the gradients.
/// </remarks>
public static class GradientRescaling
{
    /// <summary>Below this sum of the student's probabilities of all classes but the label, cross-entropy has next to no gradient to rescale, and ω is not defined.</summary>
    internal const double LeastGradient = 1e-6;

    /// <summary>ω of each row, B values; NaN for a row without a label, and where the student is so sure of the label that its probabilities of all other classes sum to less than 1e-6.</summary>
    /// <param name="student">The student's logits, B×K, K at least 2.</param>
    /// <param name="targets">log ρ at temperature T, B×K: the teacher's log-probabilities, or those of <see cref="TeacherTargets.LogProbabilities"/>.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <param name="temperature">The softening divisor T, above 0.</param>
    /// <param name="alpha">α, the teacher's share of the loss, in [0, 1].</param>
    /// <exception cref="ArgumentException">The shapes do not match, a label is not a class, or T or α is out of range.</exception>
    /// <exception cref="InvalidOperationException">There is one class.</exception>
    public static Tensor Compute(Tensor student, Tensor targets, Tensor labels, double temperature, double alpha)
    {
        ArgumentNullException.ThrowIfNull(targets);
        Guard.SameMatrixShape(student, targets);
        Guard.Labels(labels, student);
        Guard.Temperature(temperature, nameof(temperature));
        if (alpha is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(alpha), FormattableString.Invariant($"The alpha must be in [0, 1]. It was {alpha}."));
        LabelledClass.RequireTwoClasses(student, "The rescaling of gradients");
        using var noGrad = no_grad();
        var isLabel = LabelledClass.Mask(labels, student);
        // 1 - p_y as the sum over the other classes: the difference would be 0 long before that sum is.
        var (_, others, _) = LabelledClass.Split(student.LogSoftmax(1), isLabel);
        var (target, softened) = (ProbabilityOfLabel(targets, isLabel), ProbabilityOfLabel(student.LogSoftmax(temperature), isLabel));
        var missing = others.squeeze(1).exp();
        var rescaling = target.sub(softened).MultiplyBy(alpha * temperature).div(missing).Add(1 - alpha);
        return rescaling.MaskedFill(missing.IsBelow(LeastGradient).logical_or(isLabel.any(1).logical_not()), double.NaN);
    }

    /// <summary>ω of a row; null where the student is sure of the label.</summary>
    /// <param name="target">ρ_y.</param>
    /// <param name="softened">p_y(s; T).</param>
    /// <param name="others">1 - p_y(s; 1), as the sum over the other classes.</param>
    /// <param name="temperature">T.</param>
    /// <param name="alpha">α.</param>
    internal static double? Compute(double target, double softened, double others, double temperature, double alpha) =>
        others < LeastGradient ? null : 1 - alpha + (alpha * temperature * (target - softened) / others);

    private static Tensor ProbabilityOfLabel(Tensor logProbabilities, Tensor isLabel) => logProbabilities.exp().mul(isLabel).sum(1);
}
