using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over rows of ‖u_s - u_t‖², the squared distance of the embeddings at unit length: L2 mimic, the baseline on faces that the papers of CCKD (Peng et al. 2019)
/// and RCO (Jin et al. 2019) name. It equals 2 - 2 cos, so it is between 0 and 4. We found no formula; the sum over dimensions and the mean over rows are our
/// choice.
/// </summary>
/// <remarks>
/// If the lengths differ, a linear layer without bias maps the student's embeddings to the teacher's length. It is trained with the student and thrown away after. An
/// embedding shorter than 1e-6 has no direction: it counts as a vector of zeros and gets no gradient.
/// </remarks>
public sealed class MimicLoss : DistillationLoss
{
    /// <summary>The loss on embeddings of unit length.</summary>
    /// <param name="normalize">Whether every embedding is scaled to unit length first. Without it lengths are learnt too, and the loss depends on the teacher's scale.</param>
    public MimicLoss(bool normalize = true) => Normalize = normalize;

    /// <inheritdoc/>
    public override string Name => "mimic";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Embedding;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.Embedding;

    /// <summary>Whether every embedding is scaled to unit length first.</summary>
    public bool Normalize { get; }

    /// <summary>Mean over rows of the squared distance, a scalar.</summary>
    /// <param name="student">The student's embeddings, B×D.</param>
    /// <param name="teacher">The teacher's embeddings, B×D; constants, no gradient flows to them.</param>
    /// <param name="normalize">Whether every embedding is scaled to unit length first.</param>
    /// <exception cref="ArgumentException">The shapes differ, or are not B×D.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, bool normalize = true)
    {
        Guard.SameMatrixShape(student, teacher);
        return ComputePerRow(student, teacher, normalize).mean();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
        EmbeddingPair.CreateProjections(student, teacher, this, generator);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var (student, teacher) = EmbeddingPair.Select(inputs, this);
        return inputs.Mean(ComputePerRow(student, teacher, Normalize));
    }

    private static Tensor ComputePerRow(Tensor student, Tensor teacher, bool normalize)
    {
        var constant = teacher.detach();
        var difference = normalize ? student.NormalizeRows().sub(constant.NormalizeRows()) : student.sub(constant);
        return difference.mul(difference).sum(1);
    }
}
