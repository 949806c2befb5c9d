using Microsoft.ML.Data;

namespace Service.Scoring;

/// <summary>A row to score: <typeparamref name="T"/> is byte for pixels and float for measurements.</summary>
internal sealed class Row<T>
{
    /// <summary>Empty. The step of the pipeline that made keys of labels is still in the saved model, and it wants its column.</summary>
    public string Label { get; set; } = "";

    public required T[] Features { get; init; }

    /// <summary>The columns of such rows, with the name and the size that the student knows.</summary>
    public static SchemaDefinition Schema(FeatureColumn column)
    {
        var schema = SchemaDefinition.Create(typeof(Row<T>));
        var features = schema[nameof(Features)];
        features.ColumnName = column.Name;
        features.ColumnType = column.Type;
        return schema;
    }
}

/// <summary>What is read of a scored row.</summary>
internal sealed class Scored
{
    public float[] Score { get; set; } = [];
}
