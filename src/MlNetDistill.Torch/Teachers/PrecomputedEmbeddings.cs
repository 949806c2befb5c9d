using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher whose embeddings of all rows are in memory. It disposes them.</summary>
/// <param name="embeddings">N×D', 32-bit floats, in the order of the rows, on their device.</param>
/// <param name="studentLength">Number of outputs of the student, which the teacher of a stage must have too; nothing reads them.</param>
internal sealed class PrecomputedEmbeddings(Tensor embeddings, int studentLength) : StageTeacher, IDisposable
{
    public override OutputShapes Shapes { get; } = new(studentLength, (int)embeddings.shape[1], []);

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => new(embedding: embeddings.index_select(0, batch.Positions));

    /// <summary>The embeddings of some rows, in the current dispose scope.</summary>
    public Tensor Of(Tensor positions) => embeddings.index_select(0, positions);

    public void Dispose() => embeddings.Dispose();
}
