using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Seam;

/// <summary>
/// Finds the row at which a step before the trainer failed. ML.NET's own exception names none (a broken picture gives "Invalid input stream contents"), and its
/// cursors run ahead on several threads, so the pass that failed does not tell either.
/// </summary>
internal static class UnreadableRow
{
    private const int LongestText = 200;

    /// <summary>Does a pass over a column; where a step before it fails, the exception names the row and its text, a file's path for example.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="column">A vector of Single or Byte.</param>
    /// <param name="role">What messages call the data.</param>
    /// <param name="pass">The pass.</param>
    /// <exception cref="InvalidOperationException">A row cannot be read.</exception>
    public static T Named<T>(IDataView data, DataViewSchema.Column column, string role, Func<T> pass)
    {
        try
        {
            return pass();
        }
        // What a pass itself finds fault with has no inner exception; ML.NET's cursors wrap what a step threw, or throw it as it is.
        catch (Exception e) when (e is not OperationCanceledException and not InvalidOperationException { InnerException: null } && ChangedRowsException.In(e) is null)
        {
            if (Find(data, column, role, e) is { } unreadable)
                throw unreadable;
            throw;
        }
    }

    /// <summary>Reads again, on one thread, up to the row that cannot be read; null where this pass reads every row.</summary>
    private static InvalidOperationException? Find(IDataView data, DataViewSchema.Column column, string role, Exception cause)
    {
        // A set of one is read by the thread that asks.
        using var cursor = data.GetRowCursorSet([column, .. Texts(data.Schema)], 1, null)[0];
        var (row, isAtRow) = (0L, false);
        try
        {
            for (var read = Reader(cursor, column); cursor.MoveNext(); row++)
            {
                isAtRow = true;
                read();
                isAtRow = false;
            }

            return null;
        }
        catch (Exception e)
        {
            var (where, text) = isAtRow ? ($"column '{column.Name}' gives ", TextOf(cursor)) : ("", "");
            return new InvalidOperationException(
                $"Row {row} (counted from 0) of the {role} cannot be read: {where}\"{e.GetBaseException().Message}\"{text}. " +
                "Correct or leave out what the row is made from.",
                cause);
        }
    }

    private static IEnumerable<DataViewSchema.Column> Texts(DataViewSchema schema) => schema.Where(c => !c.IsHidden && c.Type is TextDataViewType);

    private static Action Reader(DataViewRowCursor cursor, DataViewSchema.Column column) =>
        ((VectorDataViewType)column.Type).ItemType.RawType == typeof(byte) ? Reader<byte>(cursor, column) : Reader<float>(cursor, column);

    private static Action Reader<T>(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        var get = cursor.GetGetter<VBuffer<T>>(column);
        VBuffer<T> values = default;
        return () => get(ref values);
    }

    private static string TextOf(DataViewRowCursor cursor)
    {
        var texts = new List<string>();
        foreach (var column in Texts(cursor.Schema).Where(c => cursor.IsColumnActive(c)))
        {
            ReadOnlyMemory<char> text = default;
            cursor.GetGetter<ReadOnlyMemory<char>>(column)(ref text);
            texts.Add($"{column.Name} is '{(text.Length > LongestText ? $"{text[..LongestText]}…" : text)}'");
        }

        return texts.Count == 0 ? "" : $" where {string.Join(", ", texts)}";
    }
}
