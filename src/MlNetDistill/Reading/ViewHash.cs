using Microsoft.ML;
using MlNetDistill.Data;

namespace MlNetDistill.Reading;

/// <summary>Hashes a data view, to recognise it.</summary>
internal static class ViewHash
{
    /// <summary>
    /// The number of rows, and a hash of their ids and of names, types and values of all columns, whatever the order of the rows; null if a column cannot be hashed.
    /// </summary>
    /// <exception cref="InvalidOperationException">A row cannot be read.</exception>
    public static (long Rows, string? Hash) Compute(IDataView data) => UnreadableRow.LocateFailure(() => Read(data));

    private static (long Rows, string? Hash) Read(IDataView data)
    {
        List<DataViewSchema.Column> columns = [.. data.Schema.Where(column => !column.IsHidden)];
        var hashable = columns.All(RowBytes.CanHash);
        using var hash = new DataHash();
        using var cursor = new ViewColumns(data, hashable ? columns : [], row => $"Row {row} (counted from 0) of the data cannot be read").Open();
        var bytes = hashable ? new RowBytes(cursor, columns) : null;
        var getId = cursor.CreateIdReader();
        long rows = 0;
        for (; cursor.MoveNext(); rows++)
        {
            if (bytes is not null)
                hash.Add(getId(), bytes.ReadRow());
        }

        return (rows, hashable ? Fingerprint(hash.Value, columns) : null);
    }

    private static string Fingerprint(string rows, IReadOnlyList<DataViewSchema.Column> columns) =>
        Core.Fingerprint.Compute($"{rows} of {RowBytes.HashSchema(columns)}");
}
