using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A cursor over the rows of another cursor that have given ids.</summary>
internal abstract class CursorOverSome(DataViewRowCursor input) : CursorOver(input)
{
    private readonly ValueGetter<DataViewRowId> _id = input.GetIdGetter();
    private long _position = -1;

    public override long Position => _position;

    public override bool MoveNext()
    {
        DataViewRowId id = default;
        while (MayHaveMore && Input.MoveNext())
        {
            _id(ref id);
            if (!IsWanted(new RowId(id.Low, id.High)))
                continue;
            _position++;
            return true;
        }

        _position = -1;
        return false;
    }

    /// <summary>Whether rows that are wanted may still come.</summary>
    protected virtual bool MayHaveMore => true;

    /// <summary>Whether a row, the next of the other cursor's, is one of them.</summary>
    protected abstract bool IsWanted(RowId id);
}
