using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// T² · mean over rows of Σ_c p_t log(p_t / p_s), p = softmax(z / T): knowledge distillation (Hinton, Vinyals and Dean 2015, §2).
/// Its gradient towards the student's logits is T (p_s - p_t) / B.
/// </summary>
/// <param name="temperature">The softening divisor T, above 0.</param>
public sealed class KdLoss(double temperature) : DistillationLoss
{
    /// <inheritdoc/>
    public override string Name => "kd";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool ReadsOnlyProbabilities => true;

    /// <summary>The softening divisor T.</summary>
    public double Temperature { get; } = Guard.Temperature(temperature, nameof(temperature));

    /// <summary>T² · mean over rows of KL(softmax(teacher / T) ‖ softmax(student / T)), a scalar.</summary>
    /// <param name="student">The student's logits, B×K.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="temperature">The softening divisor T, above 0.</param>
    /// <exception cref="ArgumentException">The logits are not B×K of the same shape, or the temperature is not above 0.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, double temperature)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Temperature(temperature, nameof(temperature));
        return ComputeFromLogProbabilities(student.LogSoftmax(temperature), teacher.detach().LogSoftmax(temperature), temperature);
    }

    // For a teacher whose probability of one class is 1.
    internal override double? UntrainedValue(int classes) => Temperature * Temperature * Math.Log(classes);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var student = inputs.StudentLogProbabilities(Temperature);
        var teacher = inputs.TeacherLogProbabilities(Temperature);
        if (inputs.Weights is null)
            return ComputeFromLogProbabilities(student, teacher, Temperature);
        return inputs.Mean(functional.kl_div(student, teacher, log_target: true, Reduction.None).sum(1)).MultiplyBy(Temperature * Temperature);
    }

    internal override bool ReachesTeacher => true;

    internal override Tensor EvaluateTowardsTeacher(LossInputs inputs, Tensor teacher)
    {
        var expected = teacher.LogSoftmax(Temperature);
        var perRow = expected.exp().mul(expected.sub(inputs.StudentLogProbabilities(Temperature))).sum([1]);
        return inputs.Mean(perRow).MultiplyBy(Temperature * Temperature);
    }

    // d/ds of the equation above is T (p_s - p_t) / B; with example weights autograd computes it.
    internal override LogitGradient? EvaluateWithGradient(LossInputs inputs, double weight)
    {
        if (inputs.Weights is not null)
            return null;
        using var noGrad = no_grad();
        var student = inputs.Student.Logits.LogSoftmax(Temperature);
        var teacher = inputs.TeacherLogProbabilities(Temperature);
        var probabilities = teacher.exp();
        var rows = student.size(0);
        var value = teacher.sub(student).mul_(probabilities).sum();
        using var scale = (weight * Temperature / rows).ToScalar();
        return new(value, Temperature * Temperature / rows, student.exp_().sub_(probabilities).mul_(scale));
    }

    // T² keeps the gradients comparable to the hard-label term when T changes (Hinton et al. 2015, §2).
    // A dot product with the difference of logarithms costs half of kl_div forward and backward, and is exactly 0 at equality.
    private static Tensor ComputeFromLogProbabilities(Tensor student, Tensor teacher, double temperature)
    {
        using var scale = (temperature * temperature / student.shape[0]).ToScalar();
        return teacher.exp().mul_(scale).flatten().dot(teacher.sub(student).flatten());
    }
}
