using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>
/// A column's type, from a data view or, before fitting, from a pipeline's schema shape, so that checks and messages are the same for both.
/// </summary>
internal sealed record ColumnCheck(string Name, string TypeName, SchemaShape.Column.VectorKind Kind, DataViewType ItemType, bool IsKey)
{
    public static ColumnCheck FromColumn(DataViewSchema.Column column)
    {
        var vector = column.Type as VectorDataViewType;
        var item = vector?.ItemType ?? column.Type;
        var kind = vector switch
        {
            null => SchemaShape.Column.VectorKind.Scalar,
            { Size: 0 } => SchemaShape.Column.VectorKind.VariableVector,
            _ => SchemaShape.Column.VectorKind.Vector,
        };
        return new ColumnCheck(column.Name, $"{column.Type}", kind, item, item is KeyDataViewType);
    }

    public static ColumnCheck FromColumn(SchemaShape.Column column)
    {
        var item = column.IsKey ? $"Key<{column.ItemType}>" : $"{column.ItemType}";
        var type = column.Kind switch
        {
            SchemaShape.Column.VectorKind.Scalar => item,
            SchemaShape.Column.VectorKind.Vector => $"Vector<{item}>",
            _ => $"VarVector<{item}>",
        };
        return new ColumnCheck(column.Name, type, column.Kind, column.ItemType, column.IsKey);
    }

    /// <exception cref="ArgumentOutOfRangeException">The column is not a key of UInt32.</exception>
    public void RequireLabel()
    {
        if (Kind != SchemaShape.Column.VectorKind.Scalar || !IsKey || ItemType.RawType != typeof(uint))
            throw Mismatch("Key<UInt32>", $"Convert it with mlContext.Transforms.Conversion.MapValueToKey(\"{Name}\") earlier in the pipeline.");
    }

    /// <summary>A label to compare predictions with, which may be text as well.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is neither a key of UInt32 nor text.</exception>
    public void RequireLabelOrText()
    {
        if (Kind != SchemaShape.Column.VectorKind.Scalar || !((IsKey && ItemType.RawType == typeof(uint)) || ItemType == TextDataViewType.Instance))
        {
            throw Mismatch(
                "Key<UInt32> or String",
                $"Convert it with mlContext.Transforms.Conversion.MapValueToKey(\"{Name}\"), or ConvertType(\"{Name}\", outputKind: DataKind.String).");
        }
    }

    /// <exception cref="ArgumentOutOfRangeException">The column is not a vector of Single of known size.</exception>
    public void RequireScores()
    {
        if (Kind != SchemaShape.Column.VectorKind.Vector || IsKey || ItemType != NumberDataViewType.Single)
        {
            throw Mismatch("Vector<Single, K> with one score for each class", Kind == SchemaShape.Column.VectorKind.Vector && ItemType is NumberDataViewType
                ? $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{Name}\", outputKind: DataKind.Single)."
                : "A multiclass model gives such a column; name that one.");
        }
    }

    /// <exception cref="ArgumentOutOfRangeException">The column is not a vector of Single of known size.</exception>
    public void RequireEmbedding()
    {
        const string Expected = "Vector<Single, D>, one embedding for each row";
        if (Kind == SchemaShape.Column.VectorKind.VariableVector && !IsKey && ItemType == NumberDataViewType.Single)
            throw Mismatch($"{Expected}, of known size", "Give its size where it is made: in the loader's column, with [VectorType(n)], or in SchemaDefinition.");
        if (Kind != SchemaShape.Column.VectorKind.Vector || IsKey || ItemType != NumberDataViewType.Single)
        {
            throw Mismatch(Expected, Kind == SchemaShape.Column.VectorKind.Vector && ItemType is NumberDataViewType
                ? $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{Name}\", outputKind: DataKind.Single)."
                : "Name the column in which a model writes its embeddings.");
        }
    }

    /// <exception cref="ArgumentOutOfRangeException">The column is not a Boolean.</exception>
    public void RequireSame()
    {
        if (Kind != SchemaShape.Column.VectorKind.Scalar || ItemType != BooleanDataViewType.Instance)
            throw Mismatch("Boolean, true where both are of the same identity", "Make one with mlContext.Transforms.CustomMapping or in the loader.");
    }

    /// <summary>The error for a column that holds no identities.</summary>
    public ArgumentOutOfRangeException NoIdentity() => Mismatch(
        "a key of UInt32, String, Int32, Int64 or UInt32", $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{Name}\", outputKind: DataKind.String).");

    /// <exception cref="ArgumentOutOfRangeException">The column is not a vector of Single or Byte of known size.</exception>
    public void RequireFeatures()
    {
        const string Expected = "Vector<Single, n> or Vector<Byte, n>";
        if (Kind == SchemaShape.Column.VectorKind.Scalar)
        {
            throw Mismatch(Expected, !IsKey && ItemType is NumberDataViewType
                ? $"Make a vector of it with mlContext.Transforms.Concatenate(\"{Name}\", …)."
                : "Convert it with mlContext.Transforms.Text.FeaturizeText or mlContext.Transforms.Categorical.OneHotEncoding, then Concatenate.");
        }

        if (IsKey || (ItemType != NumberDataViewType.Single && ItemType != NumberDataViewType.Byte))
            throw Mismatch(Expected, $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{Name}\", outputKind: DataKind.Single).");
        if (Kind == SchemaShape.Column.VectorKind.VariableVector)
            throw Mismatch($"{Expected}, of known size", "Give its size where it is made: in the loader's column, with [VectorType(n)], or in SchemaDefinition.");
    }

    /// <exception cref="ArgumentOutOfRangeException">The column is not a Single.</exception>
    public void RequireWeight()
    {
        if (Kind != SchemaShape.Column.VectorKind.Scalar || IsKey || ItemType != NumberDataViewType.Single)
            throw Mismatch("Single", $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{Name}\", outputKind: DataKind.Single).");
    }

    /// <exception cref="ArgumentOutOfRangeException">The column is not a Boolean.</exception>
    public void RequireValidation()
    {
        if (Kind != SchemaShape.Column.VectorKind.Scalar || ItemType != BooleanDataViewType.Instance)
            throw Mismatch("Boolean, true where a row is held out", "Make one with mlContext.Transforms.CustomMapping or in the loader.");
    }

    /// <summary>The error for a missing column.</summary>
    public static ArgumentOutOfRangeException Missing(string name, string role, string option, IEnumerable<string> found) => new(
        "schema", $"The {role} column '{name}' is not in the data. Its columns are {string.Join(", ", found.Select(c => $"'{c}'"))}; name one of them as {option}. If a step of the pipeline adds it, give rows that have passed that step.");

    private ArgumentOutOfRangeException Mismatch(string expected, string remedy) =>
        new("schema", $"Column '{Name}' must be {expected}; found {TypeName}. {remedy}");
}
