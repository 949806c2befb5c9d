namespace MlNetDistill.Core;

/// <summary>The limit of rows for code that keeps a table in memory with an entry for each row: the maximum length of an array.</summary>
internal static class RowLimit
{
    /// <param name="rows">Number of rows.</param>
    /// <param name="what">The code that has the table, as the subject of a sentence.</param>
    /// <exception cref="InvalidOperationException">There are too many rows.</exception>
    public static void Check(long rows, string what)
    {
        if (rows > Array.MaxLength)
            throw new InvalidOperationException(FormattableString.Invariant($"{what} takes at most {Array.MaxLength} rows; there are {rows}. Use fewer rows."));
    }
}
