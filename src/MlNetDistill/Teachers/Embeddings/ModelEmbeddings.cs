using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Embeddings that an imported model computes: an ONNX file, a module, a network.</summary>
/// <param name="name">Its name in messages.</param>
/// <param name="input">Its input.</param>
/// <param name="open">Opens it, given the shape of a row, whether its values are bytes, its input, and the fit. What it gives as logits is the embedding.</param>
/// <param name="givesStageFeatures">Whether it gives stage features too.</param>
internal sealed class ModelEmbeddings(
    string name, TeacherInput input, Func<InputShape, bool, TeacherInput, EmbeddingRequest, TensorModel> open, bool givesStageFeatures) : EmbeddingTeacher
{
    internal override string Name => name;

    internal override bool SupportsAugmentation => input.ColumnName is null;

    internal override bool GivesStageFeatures => givesStageFeatures;

    internal override IEnumerable<string> Validate() => input.Validate();

    internal override IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => FindOwn(schema) is { } own ? [new TeacherColumn(own)] : [];

    internal override IEnumerable<DataViewSchema.Column> InputsIn(DataViewSchema schema) => FindOwn(schema) is { } own ? [own] : [];

    internal override IReadOnlyList<OpenEmbeddings> Open(EmbeddingRequest request)
    {
        var own = FindOwn(request.Data.Schema) is { } column && column.Name != request.Columns.Features.Name ? new TeacherColumn(column) : null;
        var type = (VectorDataViewType)(own?.Column ?? request.Columns.Features).Type;
        var layout = LayoutOf(own, type, request.Columns.Layout);
        var rows = own?.Read(request.Data, request.Set, layout, request.Cancellation);
        try
        {
            var model = open(
                layout.Shape, own?.IsByte ?? request.Set.IsByte, input with { IsInterleaved = layout.IsInterleaved, ColumnDimensions = type.Dimensions }, request);
            return [new(() => ComputeAll(request, rows, features => Run(model, features, layout.Shape, ModelOutputs.Logits)))
            {
                Query = new((batch, wanted) => Run(model, rows?.index_select(0, batch.Positions) ?? batch.Features, layout.Shape, wanted), model.Shapes.StageFeatures, own is null),
                Owned = [model, rows],
            }];
        }
        catch
        {
            rows?.Dispose();
            throw;
        }
    }

    private static Tensor ComputeAll(EmbeddingRequest request, Tensor? rows, Func<Tensor, NetworkOutput> run)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parts = new List<Tensor>();
        foreach (var positions in Chunks.Split(request.Set.AllPositions(), request.BatchSize))
        {
            request.Cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            parts.Add(run(rows?.index_select(0, positions) ?? request.Set.Gather(positions, request.Set.Device)).Embedding.MoveToOuterDisposeScope());
        }

        return cat(parts).DetachFromDisposeScope();
    }

    /// <summary>What the model calls logits is the embedding.</summary>
    private static NetworkOutput Run(TensorModel model, Tensor features, InputShape shape, ModelOutputs wanted)
    {
        var stages = wanted & ModelOutputs.StageFeatures;
        var found = model.ComputeOutputs(features.reshape([features.shape[0], .. shape.Dimensions]), ModelOutputs.Logits | stages);
        return new NetworkOutput(embedding: found.Logits, stageFeatures: stages == ModelOutputs.None ? null : found.StageFeatures);
    }

    private RowLayout LayoutOf(TeacherColumn? own, VectorDataViewType type, RowLayout student)
    {
        if (own is null && student.Shape.IsImage)
        {
            return input.Image is null || input.Image == student.Shape ? student : throw new ArgumentOutOfRangeException(
                "options", $"The teacher ({name}) reads images of {input.Image} (channels, height, width), and those of the student's column are {student.Shape}. Name another column in TeacherInput.ColumnName.");
        }

        var layout = input.Image is { } image ? RowLayout.FromShape(type, image, "TeacherInput.Image", own?.Column.Name ?? "of the student's features") : RowLayout.FromDimensions(type);
        if (own is not null || !layout.IsInterleaved)
            return layout;
        // The student's rows were read in the order of the column, not as planes.
        return input.Image is null ? new RowLayout(InputShape.Vector(type.Size)) : throw new ArgumentOutOfRangeException(
            "options", $"The teacher ({name}) reads images of {input.Image} from the student's column, a {type} with interleaved channels, which the student reads as a vector. Give ImageShape in the options, so that both read its planes.");
    }

    private DataViewSchema.Column? FindOwn(DataViewSchema schema)
    {
        if (input.ColumnName is not { } column)
            return null;
        var found = schema.GetColumnOrNull(column)
            ?? throw ColumnCheck.Missing(column, "teacher's input", "TeacherInput.ColumnName", schema.Where(c => !c.IsHidden).Select(c => c.Name));
        ColumnCheck.FromColumn(found).RequireFeatures();
        return found;
    }
}
