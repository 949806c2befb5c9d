using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A view gave other rows than in an earlier pass. If one of ML.NET's threads was reading it, this is an inner exception of the thread's.</summary>
internal sealed class ChangedRowsException(string message) : InvalidOperationException(message)
{
    public static ChangedRowsException ForRow(RowId id, IEnumerable<string> columns) => new(
        $"The data are not the same each time they are read: row id {id} was not there in an earlier pass or had other values in {string.Join(" or ", columns.Select(c => $"'{c}'"))}, " +
        "so the answers of a model would be joined with other rows. Shuffle, draw or augment once, before the data are loaded (a list instead of an iterator), " +
        "or cache them with mlContext.Data.Cache.");

    /// <summary>Runs a function that reads data. If this exception is inside the one it throws, throws another with only this message.</summary>
    public static T Unwrap<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (FindIn(e) is not null)
        {
            throw new InvalidOperationException(FindIn(e)!.Message, e);
        }
    }

    /// <summary>This exception, if an exception is or contains it; else null.</summary>
    public static ChangedRowsException? FindIn(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is ChangedRowsException changed)
                return changed;
        }

        return null;
    }
}
