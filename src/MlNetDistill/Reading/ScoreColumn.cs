using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>A column of scores, a vector of Single, after the columns of a view.</summary>
internal static class ScoreColumn
{
    /// <summary>The columns of the view itself that a cursor is to read, and whether it reads the scores.</summary>
    public static (HashSet<int> Inputs, bool ScoresActive) SplitNeeded(DataViewSchema view, IEnumerable<DataViewSchema.Column> columns)
    {
        var needed = columns.Select(column => column.Index).ToHashSet();
        return (needed, needed.Remove(view.Count));
    }

    /// <summary>Whether a column is that of the scores.</summary>
    public static bool IsScores(DataViewSchema.Column column, DataViewRowCursor input) => column.Index == input.Schema.Count;

    /// <summary>The getter of the scores as the type that it was asked for.</summary>
    /// <exception cref="InvalidOperationException">It was asked for as another type.</exception>
    public static ValueGetter<TValue> CastGetter<TValue>(DataViewSchema.Column column, ValueGetter<VBuffer<float>> getter) =>
        getter as ValueGetter<TValue> ?? throw new InvalidOperationException(
            $"Column '{column.Name}' is {column.Type} and is read as VBuffer<Single>; it was read as {typeof(TValue).Name}.");
}
