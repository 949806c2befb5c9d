using Microsoft.ML;
using Microsoft.ML.Data;

namespace Quickstart.Data;

/// <summary>One example: <typeparamref name="T"/> is byte for pixels and float for measurements.</summary>
internal sealed class Row<T>
{
    public string Label { get; set; } = "";

    public T[] Features { get; set; } = [];

    /// <summary>
    /// The columns of such rows. The type of an array contains neither its size nor the channels, rows and columns of an image, which a network needs, so they are given
    /// here. With a fixed size, <c>[VectorType(1, 28, 28)]</c> on the property does the same.
    /// </summary>
    public static SchemaDefinition Schema(int[] dimensions)
    {
        var schema = SchemaDefinition.Create(typeof(Row<T>));
        var item = (PrimitiveDataViewType)((VectorDataViewType)schema[nameof(Features)].ColumnType).ItemType;
        schema[nameof(Features)].ColumnType = new VectorDataViewType(item, dimensions);
        return schema;
    }

    public static IDataView View(MLContext mlContext, Row<T>[] rows, int[] dimensions) => mlContext.Data.LoadFromEnumerable(rows, Schema(dimensions));
}
