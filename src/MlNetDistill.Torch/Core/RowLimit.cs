namespace MlNetDistill.Core;

/// <summary>Where a table in memory has an entry for each row, the rows are limited to what an array holds.</summary>
internal static class RowLimit
{
    /// <param name="rows">Number of rows.</param>
    /// <param name="what">What has the table, the beginning of a sentence.</param>
    /// <exception cref="InvalidOperationException">There are too many rows.</exception>
    public static void Check(long rows, string what)
    {
        if (rows > Array.MaxLength)
            throw new InvalidOperationException(FormattableString.Invariant($"{what} takes at most {Array.MaxLength} rows; there are {rows}. Use fewer rows."));
    }
}
