using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A cursor over those rows of another cursor whose ids are wanted.</summary>
internal class FilteredCursor(DataViewRowCursor input, Func<RowId, bool> isWanted) : CursorOver(input)
{
    private readonly Func<RowId> _getId = input.CreateIdReader();
    private long _position = -1;

    public override long Position => _position;

    public override bool MoveNext()
    {
        while (Input.MoveNext())
        {
            if (!isWanted(_getId()))
                continue;
            _position++;
            return true;
        }

        _position = -1;
        return false;
    }
}
