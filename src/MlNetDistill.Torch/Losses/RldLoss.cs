using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over labelled rows of α · SCD + β · T² · MCD: refined logit distillation (RLD), which does not teach the mistakes of a teacher. SCD is KL(teacher ‖ student) over two
/// probabilities at temperature 1: of the teacher's <em>most probable</em> class and all others, against the student's of the <em>label</em> and all others. MCD is
/// KL(teacher ‖ student) at temperature T among the classes whose teacher logit is below that of the label; the label and all classes above it are left out.
/// As in zju-SWJ/RLD (d54578f), mdistiller/distillers/RLD.py, which raises the weight over the first 20 epochs: <c>new RldLoss().WithWarmup(20)</c>.
/// </summary>
/// <remarks>
/// Where the teacher predicts the label, SCD is DKD's target part. Where it is wrong, the student learns the teacher's confidence for the right class. If the label is the
/// teacher's last choice, no class is left for MCD, which is 0 then. Rows without a label are left out. Computed with logsumexp, so that it is finite for logits of ±80 in
/// single precision.
/// </remarks>
public sealed class RldLoss : DistillationLoss
{
    // The reference masks with this number: a softmax over classes that are all masked is uniform for both networks, a divergence of 0.
    private const double Masked = -1e9;

    /// <summary>The loss with its two parts.</summary>
    /// <param name="alpha">α, the weight of the confidence (SCD), at least 0.</param>
    /// <param name="beta">β, the weight of the classes below the label (MCD), at least 0: 8 in the authors' code, 0.5 with T = 1 for ImageNet.</param>
    /// <param name="temperature">The softening divisor T of MCD, above 0.</param>
    public RldLoss(double alpha = 1, double beta = 8, double temperature = 4)
    {
        Alpha = Guard.Weight(alpha, nameof(alpha));
        Beta = Guard.Weight(beta, nameof(beta));
        Temperature = Guard.Temperature(temperature, nameof(temperature));
        Guard.AnyPositiveWeight(alpha, beta, nameof(beta));
    }

    /// <inheritdoc/>
    public override string Name => "rld";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool NeedsHardLabels => true;

    /// <inheritdoc/>
    public override bool NeedsLabels => true;

    /// <inheritdoc/>
    public override bool ReadsOnlyProbabilities => true;

    /// <summary>α, the weight of the confidence.</summary>
    public double Alpha { get; }

    /// <summary>β, the weight of the classes below the label.</summary>
    public double Beta { get; }

    /// <summary>The softening divisor T of the classes below the label.</summary>
    public double Temperature { get; }

    /// <summary>The mean over labelled rows, a scalar; 0 if no row has a label.</summary>
    /// <param name="student">The student's logits, B×K, K at least 2.</param>
    /// <param name="teacher">The teacher's logits, B×K; a constant, no gradient flows to it.</param>
    /// <param name="labels">B class indices, 64-bit; <see cref="Data.IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <param name="alpha">α.</param>
    /// <param name="beta">β.</param>
    /// <param name="temperature">T.</param>
    /// <exception cref="ArgumentException">The shapes do not match, a label is not a class, or a setting is out of range.</exception>
    /// <exception cref="InvalidOperationException">There is one class.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, Tensor labels, double alpha = 1, double beta = 8, double temperature = 4)
    {
        Guard.SameMatrixShape(student, teacher);
        Guard.Labels(labels, student);
        return new RldLoss(alpha, beta, temperature).Evaluate(
            new LossInputs(NetworkOutput.FromLogits(student), NetworkOutput.FromLogits(teacher), labels, hasMissingLabels: true));
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => classes != 2
        ? []
        : ["With two classes at most one is below the label, so the second part of RLD is 0; the student learns only the teacher's confidence."];

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var student = inputs.StudentLogProbabilities(1);
        LabelledClass.RequireTwoClasses(student, "RLD");
        var isLabel = LabelledClass.Mask(inputs.Labels, student);
        var confidence = ConfidenceDivergence(student, inputs.TeacherLogProbabilities(1), isLabel);
        var below = DivergenceBelowLabel(inputs.StudentLogProbabilities(Temperature), inputs.TeacherLogProbabilities(Temperature), isLabel);
        return inputs.MeanOverLabelled(confidence.MultiplyBy(Alpha).Add(below.MultiplyBy(Beta * Temperature * Temperature)));
    }

    private static Tensor ConfidenceDivergence(Tensor student, Tensor teacher, Tensor isLabel)
    {
        var (studentLabel, studentRest, _) = LabelledClass.Split(student, isLabel);
        var (teacherTop, teacherRest, _) = LabelledClass.Split(teacher, LabelledClass.Mask(teacher.argmax(1), teacher));
        return teacherTop.exp().mul(teacherTop.sub(studentLabel)).Add(teacherRest.exp().mul(teacherRest.sub(studentRest))).squeeze(1);
    }

    private static Tensor DivergenceBelowLabel(Tensor student, Tensor teacher, Tensor isLabel)
    {
        var isMasked = teacher.ge(teacher.mul(isLabel).sum(1, true));
        var (below, teacherBelow) = (student.MaskedFill(isMasked, Masked).LogSoftmax(1), teacher.MaskedFill(isMasked, Masked).LogSoftmax(1));
        return teacherBelow.exp().mul(teacherBelow.sub(below)).sum(1);
    }
}
