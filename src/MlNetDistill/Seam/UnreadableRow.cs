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

    /// <summary>Reads again, on one thread, up to the row that cannot be read.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="features">The column whose values could not be had.</param>
    /// <param name="role">What messages call the data.</param>
    /// <param name="cause">What was thrown.</param>
    /// <returns>An exception that names the row and its text, a file's path for example; null where this pass reads every row.</returns>
    public static InvalidOperationException? Find(IDataView data, DataViewSchema.Column features, string role, Exception cause)
    {
        // A set of one is read by the thread that asks.
        var cursors = data.GetRowCursorSet([features, .. Texts(data.Schema)], 1, null);
        using var cursor = cursors[0];
        long row = 0;
        try
        {
            for (var read = Reader(cursor, features); cursor.MoveNext(); row++)
                read();
            return null;
        }
        catch (Exception e)
        {
            return new InvalidOperationException(
                $"Row {row} (counted from 0) of the {role} cannot be read: column '{features.Name}' gives \"{e.GetBaseException().Message}\"{TextOf(cursor)}. " +
                "Correct or leave out what the row is made from.",
                cause);
        }
    }

    private static IEnumerable<DataViewSchema.Column> Texts(DataViewSchema schema) => schema.Where(c => !c.IsHidden && c.Type is TextDataViewType);

    private static Action Reader(DataViewRowCursor cursor, DataViewSchema.Column features) =>
        ((VectorDataViewType)features.Type).ItemType.RawType == typeof(byte) ? Reader<byte>(cursor, features) : Reader<float>(cursor, features);

    private static Action Reader<T>(DataViewRowCursor cursor, DataViewSchema.Column features)
    {
        var get = cursor.GetGetter<VBuffer<T>>(features);
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
