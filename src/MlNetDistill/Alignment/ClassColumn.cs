using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Alignment;

/// <summary>A key column in place of a label that the data do not have: it says how many classes there are and what they are called.</summary>
internal static class ClassColumn
{
    /// <summary>A reserved name, which the saved student's in-box predictor has for its label.</summary>
    public const string Name = "__MlNetDistill.Class";

    /// <summary>Classes that go by number.</summary>
    public static DataViewSchema.Column FromCount(int count) => Create(count, null);

    /// <summary>Classes by their names, in this order.</summary>
    public static DataViewSchema.Column FromNames(IReadOnlyList<string> names)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        ReadOnlyMemory<char>[] values = [.. names.Select(name => name.AsMemory())];
        annotations.Add(
            AnnotatedNames.KeyValues,
            new VectorDataViewType(TextDataViewType.Instance, values.Length),
            (ref VBuffer<ReadOnlyMemory<char>> buffer) => buffer = new VBuffer<ReadOnlyMemory<char>>(values.Length, values));
        return Create(names.Count, annotations.ToAnnotations());
    }

    /// <summary>The classes that a column of scores names in one of its annotations, their values of the type that they have there.</summary>
    public static DataViewSchema.Column FromScores(DataViewSchema.Column scores, string annotation, int count)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddAsKeyValues(scores, annotation);
        return Create(count, annotations.ToAnnotations());
    }

    private static DataViewSchema.Column Create(int count, DataViewSchema.Annotations? annotations)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(Name, new KeyDataViewType(typeof(uint), count), annotations);
        return builder.ToSchema()[0];
    }
}
