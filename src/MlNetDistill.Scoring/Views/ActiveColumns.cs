using Microsoft.ML;

namespace MlNetDistill.Views;

/// <summary>The columns that a cursor gives: those of its source, which come first, and those that are added.</summary>
internal sealed class ActiveColumns
{
    private readonly bool[] _active;

    /// <param name="schema">All columns.</param>
    /// <param name="sourceCount">Number of those of the source.</param>
    /// <param name="needed">Those asked for.</param>
    public ActiveColumns(DataViewSchema schema, int sourceCount, IEnumerable<DataViewSchema.Column> needed)
    {
        ArgumentNullException.ThrowIfNull(needed);
        (Schema, SourceCount, _active) = (schema, sourceCount, new bool[schema.Count]);
        foreach (var column in needed)
            _active[CheckedIndex(column)] = true;
        HasAdded = _active.AsSpan(sourceCount).Contains(true);
    }

    public DataViewSchema Schema { get; }

    public int SourceCount { get; }

    /// <summary>Whether any of those that are added is asked for.</summary>
    public bool HasAdded { get; }

    public bool IsActive(int index) => _active[index];

    public bool IsActive(DataViewSchema.Column column) => _active[CheckedIndex(column)];

    /// <exception cref="ArgumentException">The column was not asked for.</exception>
    public void Require(DataViewSchema.Column column)
    {
        if (!IsActive(column))
            throw new ArgumentException($"Column '{column.Name}' cannot be read: it was not among the columns that the cursor was asked for.", nameof(column));
    }

    /// <summary>A getter as what the reader asked for.</summary>
    /// <exception cref="InvalidOperationException">The column is read as another type than its own.</exception>
    public static ValueGetter<TValue> Cast<TValue>(Delegate getter, DataViewSchema.Column column) => getter as ValueGetter<TValue>
        ?? throw new InvalidOperationException($"Column '{column.Name}' is {column.Type} and is read as {column.Type.RawType}; it was read as {typeof(TValue)}.");

    private int CheckedIndex(DataViewSchema.Column column) => column.Index < _active.Length && Schema[column.Index].Name == column.Name
        ? column.Index
        : throw new ArgumentException($"Column '{column.Name}' is of another view: take columns from the Schema of the view that is read.", nameof(column));
}
