using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Evaluation.Retrieval;

/// <summary>Views of rows whose embeddings are all as long as the first row's.</summary>
internal static class EmbeddingViews
{
    public static IDataView Vectors<T>(this MLContext context, IReadOnlyList<T> rows)
        where T : class
    {
        var definition = SchemaDefinition.Create(typeof(T));
        foreach (var column in definition.Where(column => column.ColumnType is VectorDataViewType))
            column.ColumnType = new VectorDataViewType(NumberDataViewType.Single, ((float[])typeof(T).GetProperty(column.ColumnName)!.GetValue(rows[0])!).Length);
        return context.Data.LoadFromEnumerable(rows, definition);
    }

    /// <summary>A vector of two values at this angle in degrees: the cosine of two of them is that of the difference of their angles.</summary>
    public static float[] At(double angle, float length = 1) => [length * (float)Math.Cos(angle * Math.PI / 180), length * (float)Math.Sin(angle * Math.PI / 180)];

    public static double Cosine(double angle) => Math.Cos(angle * Math.PI / 180);
}
