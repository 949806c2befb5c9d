using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>A column of scores, a vector of Single, that follows the columns of a view.</summary>
internal static class ScoreColumn
{
    /// <summary>The requested columns of the view itself, and whether the scores were requested.</summary>
    public static (HashSet<int> Inputs, bool ScoresActive) SplitNeeded(DataViewSchema view, IEnumerable<DataViewSchema.Column> columns)
    {
        var needed = columns.Select(column => column.Index).ToHashSet();
        return (needed, needed.Remove(view.Count));
    }

    /// <summary>Whether a column is that of the scores.</summary>
    public static bool IsScores(DataViewSchema.Column column, DataViewRowCursor input) => column.Index == input.Schema.Count;

    /// <summary>The getter of the scores as the requested type.</summary>
    /// <exception cref="InvalidOperationException">Another type than a vector of Single was requested.</exception>
    public static ValueGetter<TValue> CastGetter<TValue>(DataViewSchema.Column column, ValueGetter<VBuffer<float>> getter) =>
        getter as ValueGetter<TValue> ?? throw new InvalidOperationException(
            $"Column '{column.Name}' is {column.Type} and is read as VBuffer<Single>; it was read as {typeof(TValue).Name}.");
}
