using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Students;

namespace MlNetDistill.Views;

/// <summary>A view with the columns that a student adds, computed in batches. Its schema is that of the student's own transformers.</summary>
internal sealed class StudentView : IDataView
{
    private readonly IDataView _data;
    private readonly StudentPart _student;
    private readonly DataViewSchema.Column _features;
    private readonly StudentColumn[] _added;

    /// <param name="data">The rows.</param>
    /// <param name="student">Adds columns to them.</param>
    /// <exception cref="ArgumentException">The feature column is missing or of another type.</exception>
    public StudentView(IDataView data, StudentPart student)
    {
        (_data, _student) = (data, student);
        _features = FeaturesIn(data.Schema, student);
        Schema = student.GetOutputSchema(data.Schema);
        _added = [.. Schema.Skip(data.Schema.Count).Select(column => KindOf(column, student))];
    }

    public bool CanShuffle => _data.CanShuffle;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _data.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var columns = new ActiveColumns(Schema, _data.Schema.Count, columnsNeeded);
        return CreateCursor(_data.GetRowCursor(InputsOf(columns), rand), columns);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var columns = new ActiveColumns(Schema, _data.Schema.Count, columnsNeeded);
        var inputs = _data.GetRowCursorSet(InputsOf(columns), n, rand);
        var cursors = new List<DataViewRowCursor>();
        try
        {
            foreach (var input in inputs)
                cursors.Add(CreateCursor(input, columns));
        }
        catch
        {
            foreach (var cursor in cursors.Concat(inputs.Skip(cursors.Count)))
                cursor.Dispose();
            throw;
        }

        return [.. cursors];
    }

    private static DataViewSchema.Column FeaturesIn(DataViewSchema schema, StudentPart student)
    {
        var expected = $"Vector<{(student.Network.IsByte ? "Byte" : "Single")}, {student.Network.FeatureLength}>";
        var item = student.Network.IsByte ? NumberDataViewType.Byte : NumberDataViewType.Single;
        return schema.GetColumnOrNull(student.Features) switch
        {
            null => throw new ArgumentException(
                $"The student reads column '{student.Features}', {expected}; the data has {string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}."),
            { Type: VectorDataViewType type } column when type.ItemType == item && type.Size == student.Network.FeatureLength => column,
            var other => throw new ArgumentException($"Column '{student.Features}' must be {expected}, as in training; found {other.Value.Type}."),
        };
    }

    private static StudentColumn KindOf(DataViewSchema.Column column, StudentPart student) => column switch
    {
        { Name: var name } when name == student.Embedding => StudentColumn.Embedding,
        { Type: KeyDataViewType } => StudentColumn.PredictedLabel,
        _ => StudentColumn.Score,
    };

    private List<DataViewSchema.Column> InputsOf(ActiveColumns columns) =>
        [.. _data.Schema.Where(column => columns.IsActive(column.Index) || (columns.HasAdded && column.Index == _features.Index))];

    private DataViewRowCursor CreateCursor(DataViewRowCursor input, ActiveColumns columns)
    {
        if (!columns.HasAdded)
            return new SourceCursor(input, columns);
        try
        {
            return new StudentCursor(input, columns, _features.Index, _added, _student.Network);
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }
}
