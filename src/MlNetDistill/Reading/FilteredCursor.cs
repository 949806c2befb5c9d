using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A cursor over those rows of another cursor whose ids are wanted.</summary>
internal class FilteredCursor(DataViewRowCursor input, Func<RowId, bool> isWanted) : CursorOver(input)
{
    private readonly ValueGetter<DataViewRowId> _id = input.GetIdGetter();
    private long _position = -1;

    public override long Position => _position;

    public override bool MoveNext()
    {
        DataViewRowId id = default;
        while (Input.MoveNext())
        {
            _id(ref id);
            if (!isWanted(new RowId(id.Low, id.High)))
                continue;
            _position++;
            return true;
        }

        _position = -1;
        return false;
    }
}
