using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>
/// Finds the row on which a step before the reader failed. ML.NET's exception does not name it (a broken picture gives "Invalid input stream contents"), and as its
/// cursors read ahead on several threads, the position of the failed cursor does not show it either.
/// </summary>
internal static class UnreadableRow
{
    private const int LongestText = 200;

    /// <summary>Runs a pass over <see cref="ViewColumns"/>. If an earlier step fails, throws an exception with the row and its text, such as a file's path.</summary>
    /// <exception cref="InvalidOperationException">A row cannot be read.</exception>
    public static T LocateFailure<T>(Func<T> pass)
    {
        try
        {
            return pass();
        }
        catch (ViewReadException e)
        {
            if (Find(e.Rows, e.InnerException!) is { } unreadable)
                throw unreadable;
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
    }

    /// <summary>The same for a pass that yields its results one by one.</summary>
    public static IEnumerable<T> LocateFailure<T>(IEnumerable<T> pass)
    {
        using var results = pass.GetEnumerator();
        while (LocateFailure(results.MoveNext))
            yield return results.Current;
    }

    /// <summary>Reads again, on one thread, up to the row that cannot be read; null if every row can be read now.</summary>
    public static InvalidOperationException? Find(ViewColumns source, Exception cause)
    {
        DataViewRowCursor opened;
        try
        {
            opened = source.OpenOnOneThread(TextColumns(source.Data.Schema));
        }
        catch (ViewReadException)
        {
            // Opening fails, not a row.
            return null;
        }

        using var cursor = opened;
        var (row, reading) = (0L, (string?)null);
        var getId = cursor.CreateIdReader();
        try
        {
            List<(string Name, RowBytes Bytes)> columns = [.. source.Columns.Where(RowBytes.CanHash).Select(c => (c.Name, new RowBytes(cursor, [c])))];
            for (; cursor.MoveNext(); row++)
            {
                foreach (var (name, bytes) in source.Wanted?.Contains(getId()) == false ? [] : columns)
                {
                    reading = name;
                    bytes.ReadRow();
                    reading = null;
                }
            }

            return null;
        }
        catch (ViewReadException e)
        {
            var column = reading is null ? "" : $"column '{reading}' gives ";
            return new InvalidOperationException(
                $"{source.Fault(row)}: {column}{DescribeFailure(e)}{(reading is null ? "" : DescribeTexts(cursor))}. " +
                (reading is null ? "Correct or leave out what the row is made from." : source.RemedyFor(e.GetBaseException())),
                cause);
        }
    }

    /// <summary>The message of the step's exception, in quotes; for a null reference only the type, as its message helps no one.</summary>
    public static string DescribeFailure(ViewReadException e) => e.GetBaseException() switch
    {
        NullReferenceException => $"a {nameof(NullReferenceException)}",
        var error => $"\"{error.Message}\"",
    };

    /// <summary>The text columns, which help to recognise a row.</summary>
    public static IEnumerable<DataViewSchema.Column> TextColumns(DataViewSchema schema) => schema.Where(c => !c.IsHidden && c.Type is TextDataViewType);

    /// <summary>The texts of the cursor's current row.</summary>
    public static string DescribeTexts(DataViewRowCursor cursor)
    {
        var texts = new List<string>();
        foreach (var column in TextColumns(cursor.Schema).Where(c => cursor.IsColumnActive(c)))
        {
            ReadOnlyMemory<char> text = default;
            cursor.GetGetter<ReadOnlyMemory<char>>(column)(ref text);
            texts.Add($"{column.Name} is '{(text.Length > LongestText ? $"{text[..LongestText]}…" : text)}'");
        }

        return texts.Count == 0 ? "" : $" where {string.Join(", ", texts)}";
    }
}
