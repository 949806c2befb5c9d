using Microsoft.ML;
using MlNetDistill.Students;

namespace MlNetDistill.Views;

/// <summary>A view with the columns that a student adds, computed in batches.</summary>
/// <param name="data">The rows.</param>
/// <param name="student">Adds columns to them.</param>
internal sealed class StudentView(IDataView data, StudentPart student) : IDataView
{
    private readonly StudentColumns _columns = new(data.Schema, student);

    public bool CanShuffle => data.CanShuffle;

    public DataViewSchema Schema => _columns.Output;

    public long? GetRowCount() => data.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = _columns.Select(columnsNeeded);
        return CreateCursor(data.GetRowCursor(_columns.InputsOf(active), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = _columns.Select(columnsNeeded);
        var inputs = data.GetRowCursorSet(_columns.InputsOf(active), n, rand);
        var cursors = new List<DataViewRowCursor>();
        try
        {
            foreach (var input in inputs)
                cursors.Add(CreateCursor(input, active));
        }
        catch
        {
            foreach (var cursor in cursors.Concat(inputs.Skip(cursors.Count)))
                cursor.Dispose();
            throw;
        }

        return [.. cursors];
    }

    private DataViewRowCursor CreateCursor(DataViewRowCursor input, ActiveColumns active)
    {
        if (!active.HasAdded)
            return new SourceCursor(input, active);
        try
        {
            return new StudentCursor(input, _columns, active);
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }
}
