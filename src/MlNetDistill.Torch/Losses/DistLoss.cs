using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// τ² · (β · inter + γ · intra): DIST (Huang et al. 2022), with inter = 1 - mean over rows of ρ(p_s[i,:], p_t[i,:]),
/// intra = 1 - mean over classes of ρ(p_s[:,c], p_t[:,c]), p = softmax(z / τ),
/// ρ(a, b) = Σ(a - ā)(b - b̄) / (‖a - ā‖ · ‖b - b̄‖ + 1e-8).
/// As in hunto/image_classification_sota, lib/models/losses/dist_kd.py, which adds the factor τ².
/// </summary>
/// <remarks>
/// Unlike the official code: if a row or a column of the student or the teacher hardly varies (standard deviation below 1e-4 of its mean), its ρ
/// keeps its value but gives no gradient. The official gradient reaches 1e6 there, for example before the first step of a student whose last
/// layer starts at zero, and in single precision it is rounding noise.
/// </remarks>
public sealed class DistLoss : DistillationLoss
{
    private const double Epsilon = 1e-8;

    // In single precision, such values keep about three digits once the mean is subtracted. The golden values of the reference code vary ten times more.
    private const double HardlyVaries = 1e-4;

    /// <summary>The loss with its two relations. The official configurations give it the weight 2 beside a cross-entropy of weight 1.</summary>
    /// <param name="temperature">The softening divisor τ, above 0: 1 for ImageNet and 4 for CIFAR-100 in the official configurations.</param>
    /// <param name="interWeight">β, the weight of the inter-class relation (within rows), at least 0.</param>
    /// <param name="intraWeight">γ, the weight of the intra-class relation (within classes, over the batch), at least 0.</param>
    public DistLoss(double temperature, double interWeight = 1, double intraWeight = 1)
    {
        Temperature = Guard.Temperature(temperature, nameof(temperature));
        InterWeight = Guard.Weight(interWeight, nameof(interWeight));
        IntraWeight = Guard.Weight(intraWeight, nameof(intraWeight));
        Guard.AnyPositiveWeight(interWeight, intraWeight, nameof(intraWeight));
    }

    /// <inheritdoc/>
    public override string Name => "dist";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool CanUseWeights => false;

    /// <inheritdoc/>
    public override bool ReadsOnlyProbabilities => true;

    /// <summary>The softening divisor τ.</summary>
    public double Temperature { get; }

    /// <summary>β, the weight of the inter-class relation.</summary>
    public double InterWeight { get; }

    /// <summary>γ, the weight of the intra-class relation.</summary>
    public double IntraWeight { get; }

    /// <summary>τ² · (β · inter + γ · intra) of the softened logits, a scalar.</summary>
    /// <param name="student">The student's logits, B×K.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="temperature">The softening divisor τ, above 0.</param>
    /// <param name="interWeight">β.</param>
    /// <param name="intraWeight">γ.</param>
    /// <exception cref="ArgumentException">The logits are not B×K of the same shape, or the temperature or a weight is out of range.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, double temperature, double interWeight = 1, double intraWeight = 1)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Temperature(temperature, nameof(temperature));
        Guard.Weight(interWeight, nameof(interWeight));
        Guard.Weight(intraWeight, nameof(intraWeight));
        return ComputeFromProbabilities(
            student.LogSoftmax(temperature).exp(),
            teacher.detach().LogSoftmax(temperature).exp(),
            temperature,
            interWeight,
            intraWeight);
    }

    /// <summary>Pearson's ρ between the rows or between the columns of two matrices, with the 1e-8 of the official code; no gradient where a row or column hardly varies.</summary>
    /// <param name="student">Values of at least 0, B×K.</param>
    /// <param name="teacher">Values of at least 0, B×K.</param>
    /// <param name="axis">1 for one ρ per row, 0 for one per column.</param>
    /// <returns>B or K values in [-1, 1].</returns>
    /// <exception cref="ArgumentException">The matrices are not B×K of the same shape, or the axis is neither 0 nor 1.</exception>
    public static Tensor Correlation(Tensor student, Tensor teacher, int axis)
    {
        Guard.SameMatrixShape(student, teacher);
        if (axis is not (0 or 1))
            throw new ArgumentOutOfRangeException(nameof(axis), axis, "The axis must be 1 for rows or 0 for columns.");
        var (centredStudent, studentNorm, studentVaries) = Center(student, axis);
        var (centredTeacher, teacherNorm, teacherVaries) = Center(teacher, axis);
        var correlation = centredStudent.mul(centredTeacher).sum(axis).div(studentNorm.mul(teacherNorm).Add(Epsilon));
        return where(studentVaries.logical_and(teacherVaries), correlation, correlation.detach());
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes)
    {
        if (classes == 2 && InterWeight != 0)
        {
            yield return "With two classes the inter-class relation of DIST has no gradient (the correlation of two values is always 1 or -1); " +
                (IntraWeight == 0 ? "the student learns nothing from it." : "the student learns only from the intra-class relation.");
        }
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) => ComputeFromProbabilities(
        inputs.StudentLogProbabilities(Temperature).exp(),
        inputs.TeacherLogProbabilities(Temperature).exp(),
        Temperature,
        InterWeight,
        IntraWeight);

    // With ρ = a·b / (‖a‖ ‖b‖ + ε) of centred values, dρ/da = b / (‖a‖ ‖b‖ + ε) - ρ ‖b‖ / (‖a‖ (‖a‖ ‖b‖ + ε)) a, which has the mean 0 as a and b have.
    internal override LogitGradient? EvaluateWithGradient(LossInputs inputs, double weight)
    {
        using var noGrad = no_grad();
        var student = inputs.Student.Logits.LogSoftmax(Temperature).exp_();
        var teacher = inputs.TeacherLogProbabilities(Temperature).exp();
        Tensor? value = null;
        Tensor? gradient = null;
        foreach (var (axis, relationWeight) in new[] { (1, InterWeight), (0, IntraWeight) })
        {
            if (relationWeight == 0)
                continue;
            var (mismatch, ofProbabilities) = Relate(student, teacher, axis, relationWeight);
            value = value?.AddInPlace(mismatch) ?? mismatch;
            gradient = gradient?.AddInPlace(ofProbabilities) ?? ofProbabilities;
        }

        // Through the softmax: p ∘ (g - Σ g p) / τ, and τ² before it all.
        var sums = gradient!.mul(student).mm(student.new_ones(student.shape[1], 1));
        using var scale = (weight * Temperature).ToScalar();
        return new(value!, Temperature * Temperature, gradient.sub_(sums).mul_(student).mul_(scale));
    }

    /// <summary>weight · (1 - mean ρ) between rows (axis 1) or columns (axis 0), and its gradient in the student's probabilities.</summary>
    private static (Tensor Mismatch, Tensor Gradient) Relate(Tensor student, Tensor teacher, int axis, double weight)
    {
        var (count, groups) = (student.shape[axis], student.shape[1 - axis]);
        using var ones = axis == 1 ? student.new_ones(count, 1) : student.new_ones(1, count);
        // On the CPU, a product with ones is several times as fast as sum.
        Tensor Sum(Tensor values) => axis == 1 ? values.mm(ones) : ones.mm(values);
        (Tensor Centred, Tensor Norm, Tensor Varies) CenterBySums(Tensor values)
        {
            var mean = Sum(values).DivideBy(count);
            var centred = values.sub(mean);
            var norm = Sum(centred.mul(centred)).sqrt_();
            return (centred, norm, norm.gt(mean.MultiplyBy(HardlyVaries * Math.Sqrt(count))));
        }

        var (a, aNorm, aVaries) = CenterBySums(student);
        var (b, bNorm, bVaries) = CenterBySums(teacher);
        var denominator = aNorm.mul(bNorm).Add(Epsilon);
        var correlation = Sum(a.mul(b)).div_(denominator);
        using var negative = (-weight / groups).ToScalar();
        var factor = aVaries.logical_and_(bVaries).to(student.dtype).div_(denominator).mul_(negative);
        var ofStudent = correlation.mul(bNorm).div_(aNorm.ClampMin(1e-30));
        return (correlation.sum().mul_(negative).Add(weight), b.sub_(a.mul_(ofStudent)).mul_(factor));
    }

    private static Tensor ComputeFromProbabilities(Tensor student, Tensor teacher, double temperature, double interWeight, double intraWeight)
    {
        var scale = temperature * temperature;
        Tensor Mismatch(int axis) => Correlation(student, teacher, axis).mean().neg().Add(1);
        if (intraWeight == 0)
            return Mismatch(1).MultiplyBy(scale * interWeight);
        if (interWeight == 0)
            return Mismatch(0).MultiplyBy(scale * intraWeight);
        return Mismatch(1).MultiplyBy(scale * interWeight).Add(Mismatch(0).MultiplyBy(scale * intraWeight));
    }

    private static (Tensor Centred, Tensor Norm, Tensor Varies) Center(Tensor values, int axis)
    {
        var mean = values.mean([axis], true);
        var centred = values.sub(mean);
        var norm = centred.norm(axis, false, 2);
        return (centred, norm, norm.gt(mean.squeeze(axis).MultiplyBy(HardlyVaries * Math.Sqrt(values.shape[axis]))));
    }
}
