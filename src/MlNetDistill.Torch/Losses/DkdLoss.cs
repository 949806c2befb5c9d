using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// T² · mean over labelled rows of (α · TCKD + β · NCKD): decoupled knowledge distillation (Zhao et al. 2022). TCKD is KL(teacher ‖ student) over
/// the two probabilities (label, all other classes together), NCKD is KL(teacher ‖ student) among the other classes, both at temperature T.
/// As in mdistiller, distillers/DKD.py, which raises the weight over the first 20 epochs: <c>new DkdLoss(4).WithWarmup(20)</c>.
/// </summary>
/// <remarks>
/// Computed with logsumexp: the reference computes log(softmax), which is NaN in single precision at T = 1 for logits of ±80. Rows without a
/// label are left out, since both parts need it. With two classes there is only one other class, so NCKD is 0.
/// </remarks>
public sealed class DkdLoss : DistillationLoss
{
    /// <summary>The loss with its two parts.</summary>
    /// <param name="temperature">The softening divisor T, above 0.</param>
    /// <param name="targetWeight">α, the weight of TCKD, at least 0.</param>
    /// <param name="nonTargetWeight">β, the weight of NCKD, at least 0; mdistiller uses 8 for most pairs of CIFAR-100 and 0.5 to 2 for ImageNet.</param>
    public DkdLoss(double temperature, double targetWeight = 1, double nonTargetWeight = 8)
    {
        Temperature = Guard.Temperature(temperature, nameof(temperature));
        TargetWeight = Guard.Weight(targetWeight, nameof(targetWeight));
        NonTargetWeight = Guard.Weight(nonTargetWeight, nameof(nonTargetWeight));
        Guard.AnyPositiveWeight(targetWeight, nonTargetWeight, nameof(nonTargetWeight));
    }

    /// <inheritdoc/>
    public override string Name => "dkd";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool NeedsHardLabels => true;

    /// <inheritdoc/>
    public override bool NeedsLabels => true;

    /// <inheritdoc/>
    public override bool ReadsOnlyProbabilities => true;

    /// <summary>The softening divisor T.</summary>
    public double Temperature { get; }

    /// <summary>α, the weight of TCKD.</summary>
    public double TargetWeight { get; }

    /// <summary>β, the weight of NCKD.</summary>
    public double NonTargetWeight { get; }

    /// <summary>T² · mean over labelled rows of (α · TCKD + β · NCKD), a scalar; 0 if no row has a label.</summary>
    /// <param name="student">The student's logits, B×K, K at least 2.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <param name="temperature">The softening divisor T, above 0.</param>
    /// <param name="targetWeight">α.</param>
    /// <param name="nonTargetWeight">β.</param>
    /// <exception cref="ArgumentException">The shapes do not match, a label is not a class, or the temperature or a weight is out of range.</exception>
    public static Tensor Compute(
        Tensor student, Tensor teacher, Tensor labels, double temperature, double targetWeight = 1, double nonTargetWeight = 8)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Labels(labels, student);
        return new DkdLoss(temperature, targetWeight, nonTargetWeight).Evaluate(
            new LossInputs(NetworkOutput.FromLogits(student), NetworkOutput.FromLogits(teacher), labels, hasMissingLabels: true));
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => classes != 2
        ? []
        : ["With two classes the non-target part of DKD is 0 (there is only one other class); the student learns only from the target part."];

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) => inputs.MeanOverLabelled(
        ComputePerRow(inputs.StudentLogProbabilities(Temperature), inputs.TeacherLogProbabilities(Temperature), inputs.Labels));

    private Tensor ComputePerRow(Tensor student, Tensor teacher, Tensor labels)
    {
        LabelledClass.RequireTwoClasses(student, "DKD");
        var isLabel = LabelledClass.Mask(labels, student);
        var (studentLabel, studentRest, _) = LabelledClass.Split(student, isLabel);
        var (teacherLabel, teacherRest, teacherOthers) = LabelledClass.Split(teacher, isLabel);
        var target = teacherLabel.exp().mul(teacherLabel.sub(studentLabel)).Add(teacherRest.exp().mul(teacherRest.sub(studentRest)));
        // At the label itself the share among the others is exactly 0 and the difference of the logarithms is finite.
        var shares = teacherOthers.sub(teacherRest).exp();
        var nonTarget = shares.mul(teacher.sub(teacherRest).sub(student.sub(studentRest))).sum(1, true);
        var scale = Temperature * Temperature;
        return target.MultiplyBy(scale * TargetWeight).Add(nonTarget.MultiplyBy(scale * NonTargetWeight)).squeeze(1);
    }
}
