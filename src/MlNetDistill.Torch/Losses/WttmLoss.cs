using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over rows of U · KL(q ‖ p_s), U = Σ_c p_t[c]^e, q = p_t^e / U: weighted transformed teacher matching (WTTM). It is <see cref="TtmLoss"/> in which rows of which
/// the teacher is less sure count more: U is 1 for a teacher that is sure and K^(1 - e) for one that finds all K classes equally probable, with e of at most 1.
/// As in zkxufo/TTM (fe457b3), distiller_zoo/wttm.py, where the weights U are not normalized either.
/// </summary>
/// <remarks>
/// Because U grows with the number of classes, the same weight beside the cross-entropy means more for many classes than for few.
/// Computed from logarithms: the power of a softmax, as in the reference, underflows.
/// </remarks>
/// <param name="exponent">e, above 0; the paper calls it γ. 1 is plain KD at temperature 1. The example in the authors' README has 0.2 and the weight 4, beside CRD.</param>
public sealed class WttmLoss(double exponent = 0.2) : DistillationLoss
{
    /// <inheritdoc/>
    public override string Name => "wttm";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool ReadsOnlyProbabilities => true;

    /// <summary>e, the power of the teacher's probabilities.</summary>
    public double Exponent { get; } = Guard.Exponent(exponent, nameof(exponent));

    /// <summary>Mean over rows of U · KL(q ‖ p_s), a scalar.</summary>
    /// <param name="student">The student's logits, B×K.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="exponent">e, above 0.</param>
    /// <exception cref="ArgumentException">The logits are not B×K of the same shape, or the exponent is not above 0.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, double exponent = 0.2)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Exponent(exponent, nameof(exponent));
        return PerRow(student.LogSoftmax(1), teacher.detach().LogSoftmax(1), exponent).mean();
    }

    /// <summary>U = Σ_c p_t[c]^e of each row, B values: how much the row counts.</summary>
    /// <param name="teacher">The teacher's logits, B×K.</param>
    /// <param name="exponent">e, above 0.</param>
    /// <exception cref="ArgumentException">The logits are not B×K, or the exponent is not above 0.</exception>
    public static Tensor RowWeights(Tensor teacher, double exponent = 0.2)
    {
        Guard.Rank(teacher, 2, "rows×classes", nameof(teacher));
        Guard.Exponent(exponent, nameof(exponent));
        return teacher.LogSoftmax(1).MultiplyBy(exponent).logsumexp(1).exp();
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) =>
        inputs.Mean(PerRow(inputs.StudentLogProbabilities(1), inputs.TeacherLogProbabilities(1), Exponent));

    private static Tensor PerRow(Tensor student, Tensor teacher, double exponent)
    {
        var (divergences, logSum) = TtmLoss.Divergences(student, teacher, exponent);
        return divergences.mul(logSum.exp());
    }
}
