using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over labelled rows of -p_t[y] log p_s[y] - γ T² Σ_{c ≠ y} p̂_t[c] log p̂_s[c]: normalized knowledge distillation (NKD). The first part is at temperature 1
/// whatever T is; p̂ are the probabilities among the classes other than the label, at temperature T.
/// As in yzd-v/cls_KD (1e5d48f), mmcls/models/dis_losses/nkd.py; its trainer adds cross-entropy of weight 1.
/// </summary>
/// <remarks>
/// It is a cross-entropy, not a divergence: a student equal to its teacher has a loss above 0, and the first part still raises the probability of the label.
/// Rows without a label are left out. With two classes there is only one other class, so the second part is 0. Computed with logsumexp, so that
/// it is finite for logits of ±80 in single precision.
/// </remarks>
public sealed class NkdLoss : DistillationLoss
{
    /// <summary>The loss with its two parts.</summary>
    /// <param name="gamma">γ, the weight of the other classes, at least 0: 1.5 for ImageNet and 3.5 for CIFAR-100 in the authors' configurations.</param>
    /// <param name="temperature">The softening divisor T of the other classes, above 0: 1 for ImageNet and 3 for CIFAR-100 there.</param>
    public NkdLoss(double gamma = 1.5, double temperature = 1)
    {
        Gamma = Guard.Weight(gamma, nameof(gamma));
        Temperature = Guard.Temperature(temperature, nameof(temperature));
    }

    /// <inheritdoc/>
    public override string Name => "nkd";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool NeedsHardLabels => true;

    /// <inheritdoc/>
    public override bool NeedsLabels => true;

    /// <inheritdoc/>
    public override bool ReadsOnlyProbabilities => true;

    /// <summary>γ, the weight of the other classes.</summary>
    public double Gamma { get; }

    /// <summary>The softening divisor T of the other classes.</summary>
    public double Temperature { get; }

    /// <summary>The mean over labelled rows, a scalar; 0 if no row has a label.</summary>
    /// <param name="student">The student's logits, B×K, K at least 2.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <param name="gamma">γ.</param>
    /// <param name="temperature">T.</param>
    /// <exception cref="ArgumentException">The shapes do not match, a label is not a class, or γ or T is out of range.</exception>
    /// <exception cref="InvalidOperationException">There is one class.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, Tensor labels, double gamma = 1.5, double temperature = 1)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Labels(labels, student);
        return new NkdLoss(gamma, temperature).Evaluate(
            new LossInputs(NetworkOutput.FromLogits(student), NetworkOutput.FromLogits(teacher), labels, hasMissingLabels: true));
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => classes != 2
        ? []
        : ["With two classes the non-target part of NKD is 0 (there is only one other class); the student learns only from the target part."];

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var student = inputs.StudentLogProbabilities(1);
        LabelledClass.RequireTwoClasses(student, "NKD");
        var isLabel = LabelledClass.Mask(inputs.Labels, student);
        var target = inputs.TeacherLogProbabilities(1).exp().mul(student).mul(isLabel).sum(1);
        var others = SumOverOthers(inputs.StudentLogProbabilities(Temperature), inputs.TeacherLogProbabilities(Temperature), isLabel);
        return inputs.MeanOverLabelled(target.Add(others.MultiplyBy(Gamma * Temperature * Temperature)).neg());
    }

    // At the label itself the share among the others is exactly 0 and the logarithm is finite.
    private static Tensor SumOverOthers(Tensor student, Tensor teacher, Tensor isLabel)
    {
        var (_, studentRest, _) = LabelledClass.Split(student, isLabel);
        var (_, teacherRest, teacherOthers) = LabelledClass.Split(teacher, isLabel);
        return teacherOthers.sub(teacherRest).exp().mul(student.sub(studentRest)).sum(1);
    }
}
