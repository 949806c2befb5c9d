using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// (1 / n²) · ‖K(f_s) - K(f_t)‖²_F, where K holds a kernel of every pair of the n rows of the batch: correlation congruence (Peng et al. 2019,
/// CCKD). The authors published no code, and the factor 1 / n² comes from secondary sources; this is the squared form of the KD-Zoo, with the
/// same values.
/// </summary>
/// <remarks>
/// Other libraries call other losses CC: torchdistill divides the unsquared norm by n² and does not normalize, RepDistiller has
/// <see cref="AdjacentPairsLoss"/>. A weight tuned for one of them does not fit another. The matrices are n×n
/// whatever the widths, so no projection is needed.
/// </remarks>
public sealed class CorrelationCongruenceLoss : DistillationLoss
{
    /// <summary>The loss on features of unit length.</summary>
    /// <param name="kernel">The kernel; null for <see cref="CorrelationKernel.GaussianTaylor"/> with its defaults.</param>
    /// <param name="on">Which output of student and teacher is compared: <see cref="ModelOutputs.Embedding"/> or <see cref="ModelOutputs.Logits"/>.</param>
    /// <param name="normalize">
    /// Whether every row is scaled to unit length first, which the Taylor series assumes. Without it, the values and the useful weights differ by
    /// orders of magnitude.
    /// </param>
    public CorrelationCongruenceLoss(CorrelationKernel? kernel = null, ModelOutputs on = ModelOutputs.Embedding, bool normalize = true)
    {
        Kernel = kernel ?? CorrelationKernel.GaussianTaylor();
        On = RowFeatures.Validate(on, nameof(on));
        Normalize = normalize;
    }

    /// <inheritdoc/>
    public override string Name => "correlationCongruence";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => On;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => On;

    /// <inheritdoc/>
    public override bool CanUseWeights => false;

    /// <summary>The kernel.</summary>
    public CorrelationKernel Kernel { get; }

    /// <summary>Which output is compared.</summary>
    public ModelOutputs On { get; }

    /// <summary>Whether every row is scaled to unit length first.</summary>
    public bool Normalize { get; }

    /// <summary>(1 / n²) · ‖K(student) - K(teacher)‖²_F, a scalar: 0 if all pairs of rows correlate alike.</summary>
    /// <param name="student">The student's features, n×D.</param>
    /// <param name="teacher">The teacher's features, n×D', of any width; a constant, no gradient flows to it.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="normalize">Whether every row is scaled to unit length first.</param>
    /// <exception cref="ArgumentException">One is not n×D, or the numbers of rows differ.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, CorrelationKernel kernel, bool normalize = true)
    {
        Guard.SameRowCount(student, teacher);
        return functional.mse_loss(CorrelationMatrix(student, kernel, normalize), CorrelationMatrix(teacher.detach(), kernel, normalize));
    }

    /// <summary>K, the kernel of every pair of rows.</summary>
    /// <param name="features">n×D.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="normalize">Whether every row is scaled to unit length first; a row of zeros stays zero and gets no gradient.</param>
    /// <returns>n×n, symmetric.</returns>
    /// <exception cref="ArgumentException">The features are not n×D.</exception>
    public static Tensor CorrelationMatrix(Tensor features, CorrelationKernel kernel, bool normalize = true)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(kernel);
        if (features.dim() != 2)
            throw new ArgumentException($"The features must be rows×values; they are {Guard.Shape(features)}.", nameof(features));
        return kernel.Matrix(normalize ? features.NormalizeRows() : features);
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) =>
        Compute(RowFeatures.Select(inputs.Student, On), RowFeatures.Select(inputs.Teacher, On), Kernel, Normalize);
}
