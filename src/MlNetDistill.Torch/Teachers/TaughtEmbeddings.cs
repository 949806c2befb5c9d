using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// A teacher of embeddings: those of all rows as they are, which are in memory, and what computes others, those of augmented rows, and stage features. It disposes the tensors.
/// </summary>
/// <param name="embeddings">N×D', 32-bit floats, in the order of the rows, on their device, as the student is to learn them.</param>
/// <param name="studentLength">Number of outputs of the student, which the teacher of a stage must have too; nothing reads them.</param>
/// <param name="axes">What projects embeddings as they are computed to those that the student learns; null for nothing.</param>
/// <param name="query">Computes others; null if nothing can.</param>
internal sealed class TaughtEmbeddings(Tensor embeddings, int studentLength, Tensor? axes, EmbeddingQuery? query) : StageTeacher, IDisposable
{
    public override OutputShapes Shapes { get; } = new(studentLength, (int)embeddings.shape[1], query?.StageFeatures ?? []);

    public override bool SupportsAugmentation => query is { SupportsAugmentation: true };

    internal override bool GivesDirections => true;

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
    {
        if (batch.View == 0 && !wanted.HasFlag(ModelOutputs.StageFeatures))
            return new NetworkOutput(embedding: Of(batch.Positions));
        if (query is null)
            throw new InvalidOperationException("This teacher has its embeddings of the rows as they are alone: no others, and no stage features.");
        using var noGrad = no_grad();
        var found = query.Ask(batch, wanted);
        return new NetworkOutput(
            embedding: axes is null ? found.Embedding : found.Embedding.mm(axes), stageFeatures: wanted.HasFlag(ModelOutputs.StageFeatures) ? found.StageFeatures : null);
    }

    /// <summary>The embeddings of some rows as they are, in the current dispose scope.</summary>
    public Tensor Of(Tensor positions) => embeddings.index_select(0, positions);

    public void Dispose()
    {
        embeddings.Dispose();
        axes?.Dispose();
    }
}

/// <summary>Computes the embeddings of a batch.</summary>
/// <param name="Ask">The embeddings, B×D, and the stage features if they are wanted, without gradient, in the current dispose scope.</param>
/// <param name="StageFeatures">Dimensions of each stage feature without the batch axis; empty if there are none.</param>
/// <param name="SupportsAugmentation">Whether it can compute those of augmented rows.</param>
internal sealed record EmbeddingQuery(Func<Batch, ModelOutputs, NetworkOutput> Ask, IReadOnlyList<long[]> StageFeatures, bool SupportsAugmentation);
