using MlNetDistill.Losses;

namespace MlNetDistill.Methods;

/// <content>Methods that learn from the teacher's logits.</content>
public abstract partial record DistillationMethod
{
    /// <summary>
    /// NKD: labelWeight · cross-entropy + the normalized target and non-target parts of the teacher's probabilities; see <see cref="NkdLoss"/>.
    /// </summary>
    /// <remarks>
    /// The defaults are those of the authors' ImageNet configuration (γ = 1.5, T = 1); theirs for CIFAR-100 has γ = 3.5 and T = 3. Each row needs one label, so it cannot be
    /// combined with mixup or CutMix.
    /// </remarks>
    /// <param name="gamma">γ, the weight of the classes other than the label, at least 0.</param>
    /// <param name="temperature">Softening divisor T of these classes, above 0.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    public static DistillationMethod Nkd(double gamma = 1.5, double temperature = 1, double labelWeight = 1) => new NkdMethod(gamma, temperature, labelWeight);

    /// <summary>
    /// Transformed teacher matching (ICLR 2024): labelWeight · cross-entropy + weight · KL between the teacher's probabilities to the power of the exponent, normalized, and the
    /// student's; see <see cref="TtmLoss"/>.
    /// </summary>
    /// <remarks>The defaults are those of the example in the authors' README (vgg13 teaches vgg8, CIFAR-100: exponent 0.1, weight 45, cross-entropy 1).</remarks>
    /// <param name="exponent">Power of the teacher's probabilities, above 0.</param>
    /// <param name="weight">Weight of the teacher's term, at least 0.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    public static DistillationMethod Ttm(double exponent = 0.1, double weight = 45, double labelWeight = 1) => new TtmMethod(exponent, weight, labelWeight, false);

    /// <summary>
    /// Weighted transformed teacher matching (ICLR 2024): as <see cref="Ttm"/>, and rows of which the teacher is less sure count more; see <see cref="WttmLoss"/>.
    /// </summary>
    /// <remarks>
    /// The defaults are those of the example in the authors' README for the combination with another loss (CRD): exponent 0.2, weight 4, cross-entropy 1. The factor of a row
    /// is between 1 and K^(1 - exponent), 40 for 100 classes, so with few classes a larger weight does what this one does with many.
    /// </remarks>
    /// <param name="exponent">Power of the teacher's probabilities, above 0.</param>
    /// <param name="weight">Weight of the teacher's term, at least 0.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    public static DistillationMethod Wttm(double exponent = 0.2, double weight = 4, double labelWeight = 1) => new TtmMethod(exponent, weight, labelWeight, true);

    /// <summary>
    /// Refined logit distillation: labelWeight · cross-entropy + alpha · the teacher's confidence, given to the label + beta · KD among the classes that the teacher
    /// finds less probable than the label; see <see cref="RldLoss"/>. The mistakes of the teacher are not taught.
    /// </summary>
    /// <remarks>
    /// The defaults are those of the authors' code for CIFAR-100; theirs for ImageNet has beta 0.5 and T = 1. Each row needs one label, so it cannot be combined with mixup or
    /// CutMix.
    /// </remarks>
    /// <param name="alpha">Weight of the confidence, at least 0.</param>
    /// <param name="beta">Weight of the classes below the label, at least 0.</param>
    /// <param name="temperature">Softening divisor T of these classes, above 0.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    /// <param name="warmupEpochs">
    /// Epochs over which the weight of the teacher's term rises, at least 0; null for a twelfth of all epochs, rounded up. The authors' code has 20 of 240.
    /// </param>
    public static DistillationMethod Rld(double alpha = 1, double beta = 8, double temperature = 4, double labelWeight = 1, int? warmupEpochs = null) =>
        new RldMethod(alpha, beta, temperature, labelWeight, warmupEpochs);

    /// <summary>
    /// Logit matching (Ba and Caruana 2014): labelWeight · cross-entropy + weight · squared difference of the logits; see <see cref="LogitMatchingLoss"/>.
    /// </summary>
    /// <remarks>The weights, the mean and subtracting the mean of each row are our choices; the last makes no difference to the probabilities.</remarks>
    /// <param name="weight">Weight of the teacher's term, at least 0.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    /// <param name="reduction">How the squared differences are summed up.</param>
    /// <param name="centered">Whether the mean of each row is subtracted on both sides first.</param>
    public static DistillationMethod LogitMatching(
        double weight = 1, double labelWeight = 1, LogitReduction reduction = LogitReduction.Mean, bool centered = true) =>
        new LogitMatchingMethod(weight, labelWeight, reduction, centered);

    /// <summary>
    /// Knowledge distillation with a part of the teacher's knowledge (after Tang et al. 2020): (1 - alpha) · cross-entropy + alpha · T² · KL(targets ‖ student), the student
    /// softened by T; see <see cref="TeacherTargets"/>.
    /// </summary>
    /// <param name="targets">Which part.</param>
    /// <param name="temperature">Softening divisor T, above 0; null for that of <see cref="Kd"/>.</param>
    /// <param name="alpha">Share of the teacher's term, in [0, 1]; null for that of <see cref="Kd"/>.</param>
    public static DistillationMethod PartialKd(TeacherTargets targets, double? temperature = null, double? alpha = null)
    {
        ArgumentNullException.ThrowIfNull(targets);
        return new PartialKdMethod(targets, temperature, alpha);
    }
}
