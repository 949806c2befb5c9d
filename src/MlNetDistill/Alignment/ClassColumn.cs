using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Alignment;

/// <summary>A key column that stands for the label where the data have none: its type has the number of classes, its annotations their names.</summary>
internal static class ClassColumn
{
    /// <summary>A reserved name: the label column of the in-box predictor in a saved student.</summary>
    public const string Name = "__MlNetDistill.Class";

    /// <summary>Numbered classes.</summary>
    public static DataViewSchema.Column FromCount(int count) => Create(count, null);

    /// <summary>Named classes, in this order.</summary>
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

    /// <summary>The classes in an annotation of a score column, with values of the annotation's type.</summary>
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
