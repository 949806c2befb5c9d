using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over rows of KL(q ‖ p_s), q = p_t^e / Σ_c p_t[c]^e: transformed teacher matching (TTM). The teacher's probabilities are smoothed by a power, as a temperature of 1/e
/// would; the student stays at temperature 1, and there is no factor T². As in zkxufo/TTM (fe457b3), distiller_zoo/ttm.py.
/// </summary>
/// <remarks>Computed from logarithms: the power of a softmax, as in the reference, underflows.</remarks>
/// <param name="exponent">e, above 0; the paper calls it γ. 1 is plain KD at temperature 1. The example in the authors' README has 0.1 and the weight 45.</param>
public sealed class TtmLoss(double exponent = 0.1) : DistillationLoss
{
    /// <inheritdoc/>
    public override string Name => "ttm";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool ReadsOnlyProbabilities => true;

    /// <summary>e, the power of the teacher's probabilities.</summary>
    public double Exponent { get; } = Guard.Exponent(exponent, nameof(exponent));

    /// <summary>Mean over rows of KL(q ‖ p_s), a scalar.</summary>
    /// <param name="student">The student's logits, B×K.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="exponent">e, above 0.</param>
    /// <exception cref="ArgumentException">The logits are not B×K of the same shape, or the exponent is not above 0.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, double exponent = 0.1)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Exponent(exponent, nameof(exponent));
        return Divergences(student.LogSoftmax(1), teacher.detach().LogSoftmax(1), exponent).PerRow.mean();
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) =>
        inputs.Mean(Divergences(inputs.StudentLogProbabilities(1), inputs.TeacherLogProbabilities(1), Exponent).PerRow);

    /// <summary>KL(q ‖ p_s) of each row, and the logarithm of its sum of powers Σ_c p_t[c]^e; B values each.</summary>
    internal static (Tensor PerRow, Tensor LogSum) Divergences(Tensor student, Tensor teacher, double exponent)
    {
        var powers = teacher.MultiplyBy(exponent);
        var logSum = powers.logsumexp(1, true);
        var smoothed = powers.sub(logSum);
        return (smoothed.exp().mul(smoothed.sub(student)).sum(1), logSum.squeeze(1));
    }
}
