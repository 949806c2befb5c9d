using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over the B - 1 pairs of consecutive rows of Σ_d |d_i| |d_{i+1}|, d = P f_s - f_t: RepDistiller's "Correlation" (distiller_zoo/CC.py),
/// which other libraries copied. It is not the loss of the CCKD paper, for which see <see cref="CorrelationCongruenceLoss"/>: it has no
/// correlation matrix and no kernel, and it depends on the order of the rows.
/// </summary>
/// <remarks>
/// RepDistiller gives it the weight 0.02 beside a cross-entropy of weight 1. The reference trains one embedding of the student's features and
/// another of the teacher's. Here P is a linear layer with bias on the student's side, used only if the widths differ: the student is compared
/// with the teacher's own features, which cannot collapse to a constant.
/// </remarks>
public sealed class AdjacentPairsLoss : DistillationLoss
{
    /// <summary>The loss.</summary>
    /// <param name="on">Which output of student and teacher is compared: <see cref="ModelOutputs.Embedding"/> or <see cref="ModelOutputs.Logits"/>.</param>
    public AdjacentPairsLoss(ModelOutputs on = ModelOutputs.Embedding) => On = RowFeatures.Validate(on, nameof(on));

    /// <inheritdoc/>
    public override string Name => "adjacentPairs";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => On;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => On;

    /// <inheritdoc/>
    public override bool CanUseWeights => false;

    /// <summary>Which output is compared.</summary>
    public ModelOutputs On { get; }

    /// <summary>Mean over the pairs of consecutive rows of Σ |d_i| |d_{i+1}|, d = student - teacher, as a scalar; 0 for a single row.</summary>
    /// <param name="student">Features of the student, B×D, already projected to the teacher's width.</param>
    /// <param name="teacher">Features of the teacher, B×D; a constant, no gradient flows to it.</param>
    /// <exception cref="ArgumentException">The shapes differ, or the features are not B×D.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher)
    {
        Guard.SameMatrixShape(student, teacher);
        var pairs = student.shape[0] - 1;
        var differences = student.sub(teacher.detach()).abs();
        return differences.narrow(0, 0, pairs).mul(differences.narrow(0, 1, pairs)).sum().DivideBy(Math.Max(1, pairs));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        var (from, to) = (RowFeatures.Length(student, On, this), RowFeatures.Length(teacher, On, this));
        return from == to ? [] : [FeatureAdapter.Linear(from, to, true, generator)];
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var (student, teacher) = (RowFeatures.Select(inputs.Student, On), RowFeatures.Select(inputs.Teacher, On));
        return Compute(TapFeatures.HaveSameShape(student, teacher) ? student : inputs.ProjectionsFor(this)[0].call(student), teacher);
    }
}
