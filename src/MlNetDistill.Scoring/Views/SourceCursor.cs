using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Views;

/// <summary>A cursor that gives no column of the student, and so needs no batches.</summary>
internal sealed class SourceCursor(DataViewRowCursor input, ActiveColumns columns) : DataViewRowCursor
{
    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override DataViewSchema Schema => columns.Schema;

    public override bool MoveNext() => input.MoveNext();

    public override bool IsColumnActive(DataViewSchema.Column column) => columns.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        columns.Require(column);
        return input.GetGetter<TValue>(input.Schema[column.Index]);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            input.Dispose();
        base.Dispose(disposing);
    }
}
