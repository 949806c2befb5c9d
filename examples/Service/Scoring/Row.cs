using Microsoft.ML.Data;

namespace Service.Scoring;

/// <summary>A row to score: <typeparamref name="T"/> is byte for pixels and float for measurements.</summary>
internal sealed class Row<T>
{
    /// <summary>Empty. The saved model still contains the step that maps labels to keys, which needs this column.</summary>
    public string Label { get; set; } = "";

    public required T[] Features { get; init; }

    /// <summary>The columns of such rows, with the student's column name and size.</summary>
    public static SchemaDefinition Schema(FeatureColumn column)
    {
        var schema = SchemaDefinition.Create(typeof(Row<T>));
        var features = schema[nameof(Features)];
        features.ColumnName = column.Name;
        features.ColumnType = column.Type;
        return schema;
    }
}

/// <summary>The column that is read from a scored row.</summary>
internal sealed class Scored
{
    public float[] Score { get; set; } = [];
}
