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
/// The feature term of stage-by-stage distillation (Gao et al. 2018, arXiv:1812.01819): ‖A(f_s) - f_t‖² between one stage feature of the student
/// and one of the teacher, as a mean over elements or as a sum for each row.
/// </summary>
/// <remarks>
/// That the stages are matched by an L2 loss is known; the paper's adapter and its reduction are not, and no official code is public, so both
/// are our choice. A is the identity where the shapes agree, else a 1×1 convolution without bias and batch normalisation (a matrix without bias
/// for vectors); where sizes differ, the larger map is average-pooled first.
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

    /// <summary>‖student - teacher‖² for each row: the mean or the sum over its elements.</summary>
    /// <param name="student">Features of the student, B×…; where it has an adapter, what that gives.</param>
    /// <param name="teacher">Features of the teacher, of the same shape; a constant, no gradient flows to it.</param>
    /// <param name="reduction">Mean or sum over a row's elements.</param>
    /// <returns>B values.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor PerRow(Tensor student, Tensor teacher, FeatureReduction reduction)
    {
        Guard.SameShape(student, teacher);
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

        // The usual case in one native call.
        if (inputs.Weights is null && Reduction == FeatureReduction.Mean)
            return functional.mse_loss(student, teacher.detach());
        return inputs.Mean(PerRow(student, teacher, Reduction));
    }
}
