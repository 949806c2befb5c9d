using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>An imported model: an ONNX file, a TorchScript file, a module.</summary>
/// <param name="name">Its name in messages.</param>
/// <param name="outputs">The outputs that it can give.</param>
/// <param name="input">Its input.</param>
/// <param name="scores">What its scores mean.</param>
/// <param name="open">Opens it, given the shape of a row, whether its values are bytes, its input, and the fit.</param>
internal sealed class ExternalTeacher(
    string name, ModelOutputs outputs, TeacherInput input, ScoreSpec scores, Func<InputShape, bool, TeacherInput, TeacherRequest, TensorModel> open) : Teacher
{
    /// <summary>Gives the bytes of its file; null if there is no file.</summary>
    public Func<long>? MeasureFile { get; init; }

    internal override bool IsReady => true;

    internal override string Name => name;

    internal override bool SupportsAugmentation => input.ColumnName is null;

    internal override ModelOutputs CanProvide => outputs;

    internal override bool GivesLogits => scores.Kind != ScoreKind.Probabilities;

    internal override IEnumerable<string> Validate() => input.Validate().Concat(scores.Validate());

    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) =>
        input.ColumnName is { } column && schema.GetColumnOrNull(column) is { } found ? [found] : [];

    internal override IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema) => ColumnsRead(schema);

    internal override IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => ColumnsRead(schema).Select(column => new TeacherColumn(column));

    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema) => scores.Classes();

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        var set = request.Set;
        var own = FindOwnColumn(request);
        WarnOfOverwrittenInput(request);
        var layout = GetLayout(own, request);
        var shape = layout.Shape;
        var isByte = own?.IsByte ?? set.IsByte;
        var dimensions = ((VectorDataViewType)(own?.Column ?? request.Columns.Features).Type).Dimensions;
        var model = open(shape, isByte, input with { IsInterleaved = layout.IsInterleaved, ColumnDimensions = dimensions }, request);
        (Tensor Rows, string Hash)? rows = null;
        try
        {
            rows = own is null ? null : (own.Read(request.Data, set, layout, request.Options.CancellationToken), request.TeacherData ?? "");
            var teacher = new ModelTeacher(model, shape, set, rows, scores with { Place = $"model {model.Name}" }, request.Columns.Classes, request.TeacherCaching)
            {
                ProbabilitiesFound = request.Options.IsSoftenedAsLogits ? () => WarnOfProbabilities(request) : null,
            };
            return new PreparedTeacher([new Anchor("teacher", 1, teacher)], null) { FileBytes = MeasureFile?.Invoke() };
        }
        catch
        {
            rows?.Rows.Dispose();
            model.Dispose();
            throw;
        }
    }

    // Which scores they are is known only when it is asked, and the method must be known before.
    private void WarnOfProbabilities(TeacherRequest request) => request.Channel.Warning(
        $"{name} gives probabilities, and the method {request.Options.Method} has the settings for logits where none were given: these make probabilities, which are flat already, nearly equal. Set scoreKind: ScoreKind.Probabilities for the teacher, or the temperature of the method.");

    /// <summary>Warns of an overwritten input column: it is not known whether an imported model was trained on the old or the new values.</summary>
    private void WarnOfOverwrittenInput(TeacherRequest request)
    {
        foreach (var column in ColumnsRead(request.Data.Schema))
        {
            if (!UnreadableRow.LocateFailure(() => OverwrittenColumn.IsOverwritten(request.Given, column, request.Options.CancellationToken)))
                continue;
            var remedy = $"NormalizeMeanVariance(\"Scaled\", \"{column.Name}\")";
            request.Channel.Warning(
                $"{name} reads column '{column.Name}', and an earlier step of this pipeline overwrote that column, so it reads the changed values. If it was trained on the original ones, give the step an output name of its own, for example {remedy}, and use that for the student.");
        }
    }

    private RowLayout GetLayout(TeacherColumn? own, TeacherRequest request)
    {
        var (column, studentLayout) = (own?.Column ?? request.Columns.Features, request.Columns.Layout);
        if (input.Image is not { } image)
            return own is null && studentLayout.Shape.IsImage ? studentLayout : RowLayout.FromDimensions((VectorDataViewType)column.Type);
        if (own is null && studentLayout.Shape.IsImage && studentLayout.Shape != image)
        {
            throw new ArgumentOutOfRangeException(
                "options",
                $"TeacherInput.Image is {image} (channels, height, width), and {name} reads the student's column '{column.Name}', whose images are {studentLayout.Shape}. " +
                "Leave TeacherInput.Image out, or name another column in TeacherInput.ColumnName.");
        }

        var layout = RowLayout.FromShape((VectorDataViewType)column.Type, image, "TeacherInput.Image", column.Name);
        if (own is null && layout.IsInterleaved && !studentLayout.IsInterleaved)
        {
            // The student's rows were read in the order of the column, not as planes.
            throw new ArgumentOutOfRangeException(
                "options",
                $"{name} reads images of {image} from the student's column '{column.Name}', a {column.Type} with interleaved channels, which the student reads as a " +
                $"vector. Give ImageShape = InputShape.Image({image.Channels}, {image.Height}, {image.Width}) in the options, so that both read its planes.");
        }

        return layout;
    }

    private TeacherColumn? FindOwnColumn(TeacherRequest request)
    {
        if (input.ColumnName is not { } column || column == request.Columns.Features.Name)
            return null;
        var schema = request.Data.Schema;
        var found = schema.GetColumnOrNull(column)
            ?? throw ColumnCheck.Missing(column, "teacher's input", "TeacherInput.ColumnName", schema.Where(c => !c.IsHidden).Select(c => c.Name));
        ColumnCheck.FromColumn(found).RequireFeatures();
        return new TeacherColumn(found);
    }
}
