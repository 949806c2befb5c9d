using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>How <see cref="LogitMatchingLoss"/> sums up the squared differences of the logits.</summary>
public enum LogitReduction
{
    /// <summary>The mean over all elements: rows and classes.</summary>
    Mean,

    /// <summary>Half of the sum over the classes, the mean over rows.</summary>
    HalfSumPerRow,
}

/// <summary>
/// Squared difference of the logits of student and teacher: logit matching (Ba and Caruana 2014), which has no temperature and no probabilities.
/// </summary>
/// <remarks>
/// A constant added to all logits of a row changes no probability, but it changes this loss. With <c>centered</c> the mean of each row is subtracted on both sides first,
/// which is our addition: use it for teachers that give probabilities, whose logits are known only up to such a constant. Probabilities are read as their logarithms; for a teacher that is sure
/// these are large, so prefer <see cref="KdLoss"/> for such teachers.
/// </remarks>
/// <param name="reduction">How the squared differences are summed up.</param>
/// <param name="centered">Whether the mean of each row is subtracted first.</param>
public sealed class LogitMatchingLoss(LogitReduction reduction = LogitReduction.Mean, bool centered = false) : DistillationLoss
{
    /// <inheritdoc/>
    public override string Name => "logitMatching";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <summary>How the squared differences are summed up.</summary>
    public LogitReduction Reduction { get; } = Enum.IsDefined(reduction)
        ? reduction
        : throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "The reduction must be Mean or HalfSumPerRow.");

    /// <summary>Whether the mean of each row is subtracted first.</summary>
    public bool Centered { get; } = centered;

    /// <summary>The squared difference of the logits, a scalar.</summary>
    /// <param name="student">The student's logits, B×K.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="reduction">How the squared differences are summed up.</param>
    /// <param name="centered">Whether the mean of each row is subtracted first.</param>
    /// <exception cref="ArgumentException">The logits are not B×K of the same shape, or the reduction is none.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, LogitReduction reduction = LogitReduction.Mean, bool centered = false)
    {
        Guard.SameMatrixShape(student, teacher);
        return new LogitMatchingLoss(reduction, centered).PerRow(student, teacher.detach()).mean();
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) => inputs.Mean(PerRow(inputs.Student.Logits, inputs.Teacher.Logits.detach()));

    internal override bool ReachesTeacher => true;

    internal override Tensor EvaluateTowardsTeacher(LossInputs inputs, Tensor teacher) => inputs.Mean(PerRow(inputs.Student.Logits, teacher));

    private Tensor PerRow(Tensor student, Tensor teacher)
    {
        var difference = student.sub(teacher);
        if (Centered)
            difference = difference.sub(difference.mean([1], true));
        var squares = difference.mul(difference);
        return Reduction == LogitReduction.Mean ? squares.mean([1]) : squares.sum(1).DivideBy(2);
    }
}
