using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over rows and classes of ((s - t) / T)²: the soft loss "mse" of MetaDistil's image code (JetRunner/MetaDistil 80e60c1). Its gradient towards the student's
/// logits is 2 (s - t) / (T² B K).
/// </summary>
/// <param name="temperature">The divisor T, above 0.</param>
internal sealed class LogitSquaresLoss(double temperature) : DistillationLoss
{
    public override string Name => "logitSquares";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <summary>The divisor T.</summary>
    public double Temperature { get; } = Guard.Temperature(temperature, nameof(temperature));

    internal override bool ReachesTeacher => true;

    /// <summary>Mean over rows and classes of ((student - teacher) / T)², a scalar.</summary>
    /// <param name="student">The student's logits, B×K.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="temperature">The divisor T, above 0.</param>
    /// <exception cref="ArgumentException">The logits are not B×K of the same shape, or the temperature is not above 0.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, double temperature)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Temperature(temperature, nameof(temperature));
        return ComputePerRow(student, teacher.detach(), temperature).mean();
    }

    public override Tensor Evaluate(LossInputs inputs) => inputs.Mean(ComputePerRow(inputs.Student.Logits, inputs.Teacher.Logits.detach(), Temperature));

    internal override Tensor EvaluateTowardsTeacher(LossInputs inputs, Tensor teacher) => inputs.Mean(ComputePerRow(inputs.Student.Logits, teacher, Temperature));

    private static Tensor ComputePerRow(Tensor student, Tensor teacher, double temperature)
    {
        var difference = student.sub(teacher).MultiplyBy(1 / temperature);
        return difference.mul(difference).mean([1]);
    }
}
