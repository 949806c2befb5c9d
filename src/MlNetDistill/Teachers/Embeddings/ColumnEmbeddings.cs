using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Embeddings in a column: of the data, or of what an ML.NET model makes of them.</summary>
/// <param name="column">The column.</param>
/// <param name="model">The model; null if the column is in the data.</param>
internal sealed class ColumnEmbeddings(string column, ITransformer? model = null) : EmbeddingTeacher
{
    internal override string Name => model is null ? $"column '{column}'" : $"{model.GetType().Name}, column '{column}'";

    // A model's column is not in the data, so it is checked when it has been computed.
    internal override IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => model is null ? [new TeacherColumn(Find(schema), HoldsScores: true) { MustBeFinite = true }] : [];

    internal override IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema) => model is null ? [Find(schema)] : null;

    internal override IReadOnlyList<OpenEmbeddings> Open(EmbeddingRequest request) => [new(() => Read(request))];

    private Tensor Read(EmbeddingRequest request)
    {
        var data = model is null ? request.Data : model.Transform(request.Data);
        var found = Find(data.Schema);
        var shape = InputShape.Vector(((VectorDataViewType)found.Type).Size);
        return new TeacherColumn(found, HoldsScores: true).Read(data, request.Set, new RowLayout(shape), request.Cancellation);
    }

    private DataViewSchema.Column Find(DataViewSchema schema)
    {
        var found = schema.GetColumnOrNull(column)
            ?? throw ColumnCheck.Missing(column, "teacher's embedding", "the column of EmbeddingTeacher", schema.Where(c => !c.IsHidden).Select(c => c.Name));
        ColumnCheck.FromColumn(found).RequireEmbedding();
        return found;
    }
}
