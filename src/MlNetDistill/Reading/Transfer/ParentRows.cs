using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>The rows that made-up rows are made from: the columns that are mixed, in memory.</summary>
internal sealed class ParentRows
{
    private readonly List<RowId> _ids = [];
    private readonly double[] _means;
    private readonly double[] _deviations;

    private ParentRows(IReadOnlyList<ParentColumn> columns, int attributes)
    {
        (Columns, Attributes) = (columns, attributes);
        (_means, _deviations) = (new double[attributes], new double[attributes]);
    }

    /// <summary>The columns that are mixed.</summary>
    public IReadOnlyList<ParentColumn> Columns { get; }

    /// <summary>Number of attributes of all columns.</summary>
    public int Attributes { get; }

    /// <summary>Ids of the rows.</summary>
    public IReadOnlyList<RowId> Ids => _ids;

    /// <summary>Number of rows.</summary>
    public int Count => _ids.Count;

    /// <summary>Whether some number is NaN or infinite: it is missing.</summary>
    public bool HasMissing { get; private set; }

    /// <summary>The mean of an attribute over the rows that have it; 0 for a category.</summary>
    public double Mean(int attribute) => _means[attribute];

    /// <summary>The population deviation of an attribute over the rows that have it; 0 for a category.</summary>
    public double Deviation(int attribute) => _deviations[attribute];

    /// <summary>Reads rows.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="columns">Columns that may be mixed.</param>
    /// <param name="categorical">Names of columns of numbers that are categories.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public static ParentRows Read(IDataView data, IEnumerable<DataViewSchema.Column> columns, IReadOnlyCollection<string> categorical, CancellationToken cancellation)
    {
        var (kept, attributes) = (new List<ParentColumn>(), 0);
        foreach (var column in columns)
        {
            if (ParentColumns.Create(column, attributes, categorical.Contains(column.Name)) is not { } store)
                continue;
            kept.Add(store);
            attributes = checked(attributes + store.Attributes);
        }

        var rows = new ParentRows(kept, attributes);
        UnreadableRow.LocateFailure<object?>(() =>
        {
            rows.ReadAll(data, cancellation);
            return null;
        });
        foreach (var column in kept.Where(c => c.IsNumeric))
            rows.Measure(column);
        return rows;
    }

    private void ReadAll(IDataView data, CancellationToken cancellation)
    {
        var source = new ViewColumns(data, [.. Columns.Select(c => c.Column)], row => $"Row {row} (counted from 0) of those that rows are made up from cannot be read");
        using var cursor = source.Open();
        var getId = cursor.CreateIdReader();
        Action[] read = [.. Columns.Select(c => c.CreateReader(cursor))];
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            RowLimit.Check(Count + 1L, "TransferRows");
            foreach (var column in read)
                column();
            _ids.Add(getId());
        }
    }

    private void Measure(ParentColumn column)
    {
        for (var slot = 0; slot < column.Attributes; slot++)
        {
            var (sum, squares, rows) = (0.0, 0.0, 0);
            for (var row = 0; row < Count; row++)
            {
                if (double.IsFinite(column.Get(row, slot)))
                    (sum, rows) = (sum + column.Get(row, slot), rows + 1);
            }

            HasMissing |= rows < Count;
            var mean = sum / Math.Max(1, rows);
            for (var row = 0; row < Count; row++)
            {
                var difference = column.Get(row, slot) - mean;
                squares += double.IsFinite(difference) ? difference * difference : 0;
            }

            _means[column.FirstAttribute + slot] = mean;
            _deviations[column.FirstAttribute + slot] = Math.Sqrt(squares / Math.Max(1, rows));
        }
    }
}
