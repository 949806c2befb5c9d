using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over rows of 1 - cos(s, t), between 0 and 2: half of <see cref="MimicLoss"/> on embeddings of unit length, with the same direction of the gradient.
/// </summary>
/// <remarks>
/// If the lengths differ, a linear layer without bias maps the student's embeddings to the teacher's length. An embedding shorter than 1e-6 has the cosine 0 and gets
/// no gradient.
/// </remarks>
public sealed class CosineLoss : DistillationLoss
{
    /// <inheritdoc/>
    public override string Name => "cosine";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Embedding;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.Embedding;

    /// <summary>Mean over rows of 1 - cos(student, teacher), a scalar.</summary>
    /// <param name="student">The student's embeddings, B×D.</param>
    /// <param name="teacher">The teacher's embeddings, B×D; constants, no gradient flows to them.</param>
    /// <exception cref="ArgumentException">The shapes differ, or are not B×D.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher)
    {
        Guard.SameMatrixShape(student, teacher);
        return ComputePerRow(student, teacher).mean();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
        EmbeddingPair.CreateProjections(student, teacher, this, generator);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var (student, teacher) = EmbeddingPair.Select(inputs, this);
        return inputs.Mean(ComputePerRow(student, teacher));
    }

    private static Tensor ComputePerRow(Tensor student, Tensor teacher)
    {
        var cosines = student.NormalizeRows().mul(teacher.detach().NormalizeRows()).sum(1);
        return ones_like(cosines).sub(cosines);
    }
}
