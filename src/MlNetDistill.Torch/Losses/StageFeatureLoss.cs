using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>How squared differences of features become one number.</summary>
public enum FeatureReduction
{
    /// <summary>The mean over all elements.</summary>
    Mean,

    /// <summary>The sum over a row's elements, then the mean over the rows.</summary>
    SumPerSample,
}

/// <summary>
/// ‖A(f_s) - f_t‖² between one stage feature of the student and one of the teacher, as a mean over elements or as a sum per row: the feature term
/// of stage-by-stage distillation (Gao et al. 2018, arXiv:1812.01819).
/// </summary>
/// <remarks>
/// The paper matches the stages by an L2 loss; it states neither the adapter nor the reduction, and there is no official code, so both are choices
/// of this library. A is the identity if the shapes are equal, else a 1×1 convolution without bias followed by batch normalization (for vectors a
/// linear layer without bias). If the sizes differ, the larger map is average-pooled first.
/// </remarks>
public sealed class StageFeatureLoss : DistillationLoss
{
    /// <summary>The loss between two taps.</summary>
    /// <param name="studentTap">Index of the student's stage feature, from 0.</param>
    /// <param name="teacherTap">Index of the teacher's stage feature, from 0.</param>
    /// <param name="reduction">How squared differences become one number.</param>
    public StageFeatureLoss(int studentTap, int teacherTap, FeatureReduction reduction = FeatureReduction.Mean)
    {
        StudentTap = Guard.Tap(studentTap, nameof(studentTap));
        TeacherTap = Guard.Tap(teacherTap, nameof(teacherTap));
        Reduction = reduction is FeatureReduction.Mean or FeatureReduction.SumPerSample
            ? reduction
            : throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "The reduction must be Mean or SumPerSample.");
    }

    /// <inheritdoc/>
    public override string Name => "stageFeature";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

    /// <summary>Index of the student's stage feature.</summary>
    public int StudentTap { get; }

    /// <summary>Index of the teacher's stage feature.</summary>
    public int TeacherTap { get; }

    /// <summary>How squared differences become one number.</summary>
    public FeatureReduction Reduction { get; }

    /// <summary>Mean over rows of ‖student - teacher‖², a scalar; within a row the mean or the sum over its elements.</summary>
    /// <param name="student">Features of the student, B×…, already adapted to the teacher's shape.</param>
    /// <param name="teacher">Features of the teacher, of the same shape; a constant, no gradient flows to it.</param>
    /// <param name="reduction">Mean or sum over a row's elements.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, FeatureReduction reduction = FeatureReduction.Mean)
    {
        Guard.SameShape(student, teacher);
        // The usual case, in one native call.
        return reduction == FeatureReduction.Mean
            ? functional.mse_loss(student, teacher.detach())
            : ComputePerRow(student, teacher, reduction).mean();
    }

    /// <summary>‖student - teacher‖² of each row, for example weights.</summary>
    internal static Tensor ComputePerRow(Tensor student, Tensor teacher, FeatureReduction reduction)
    {
        var squares = functional.mse_loss(student, teacher.detach(), nn.Reduction.None).flatten(1);
        return reduction == FeatureReduction.Mean ? squares.mean([1]) : squares.sum(1);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        var from = TapFeatures.Get(student.StageFeatures, StudentTap, "student", this);
        var to = TapFeatures.Get(teacher.StageFeatures, TeacherTap, "teacher", this);
        TapFeatures.CheckSameKind(from, to, this);
        if (from.AsSpan().SequenceEqual(to))
            return [];
        return [from.Length == 1 ? FeatureAdapter.Linear(from[0], to[0], false, generator) : FeatureAdapter.Pointwise(from[0], to[0], generator)];
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var student = TapFeatures.Get(inputs.Student.StageFeatures, StudentTap, "student", this);
        var teacher = TapFeatures.Get(inputs.Teacher.StageFeatures, TeacherTap, "teacher", this);
        if (!TapFeatures.HaveSameShape(student, teacher))
        {
            var adapter = inputs.ProjectionsFor(this)[0];
            (student, teacher) = TapFeatures.PoolToSameSize(student, teacher);
            student = adapter.call(student);
        }

        return inputs.Weights is null ? Compute(student, teacher, Reduction) : inputs.Mean(ComputePerRow(student, teacher, Reduction));
    }
}
