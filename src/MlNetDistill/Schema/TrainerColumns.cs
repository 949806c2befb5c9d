using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;

namespace MlNetDistill.Schema;

/// <summary>The columns a trainer reads, found in a schema and checked with messages that say what to do.</summary>
internal sealed record TrainerColumns(
    DataViewSchema.Column Features,
    DataViewSchema.Column Label,
    DataViewSchema.Column? Weight,
    DataViewSchema.Column? Validation,
    ClassLabels Classes,
    InputShape Shape)
{
    public bool IsByte => ((VectorDataViewType)Features.Type).ItemType.RawType == typeof(byte);

    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    public static TrainerColumns Find(DataViewSchema schema, DistillationOptions options)
    {
        var features = FeatureColumn(schema, options);
        var label = Require(schema, options.LabelColumnName, "label");
        if (label.Type is not KeyDataViewType key || key.RawType != typeof(uint))
        {
            throw Mismatch(label, "Key<UInt32>",
                $"Convert it with mlContext.Transforms.Conversion.MapValueToKey(\"{label.Name}\") earlier in the pipeline.");
        }

        if (key.Count < 2)
            throw new ArgumentOutOfRangeException("schema", $"The label column '{label.Name}' has {key.Count} class; a classifier needs at least 2.");
        var weight = options.ExampleWeightColumnName is { } name ? Require(schema, name, "example weight") : (DataViewSchema.Column?)null;
        if (weight is { } w && w.Type != NumberDataViewType.Single)
            throw Mismatch(w, "Single", "Convert it with mlContext.Transforms.Conversion.ConvertType.");
        var validation = options.ValidationColumnName is { } flag ? Require(schema, flag, "validation") : (DataViewSchema.Column?)null;
        if (validation is { } v && v.Type != BooleanDataViewType.Instance)
            throw Mismatch(v, "Boolean, true where a row is held out", "Make one with mlContext.Transforms.CustomMapping or in the loader.");
        return new TrainerColumns(features, label, weight, validation, ClassLabels.Of(label), ShapeOf(features, options));
    }

    private static DataViewSchema.Column FeatureColumn(DataViewSchema schema, DistillationOptions options)
    {
        var column = Require(schema, options.FeatureColumnName, "feature");
        const string Expected = "Vector<Single, n> or Vector<Byte, n>";
        if (column.Type is not VectorDataViewType vector)
        {
            var remedy = column.Type is NumberDataViewType
                ? $"Make a vector of it with mlContext.Transforms.Concatenate(\"{column.Name}\", …)."
                : "Convert it with mlContext.Transforms.Text.FeaturizeText or mlContext.Transforms.Categorical.OneHotEncoding, then Concatenate.";
            throw Mismatch(column, Expected, remedy);
        }

        if (vector.ItemType != NumberDataViewType.Single && vector.ItemType != NumberDataViewType.Byte)
            throw Mismatch(column, Expected, $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{column.Name}\", outputKind: DataKind.Single).");
        if (vector.Size == 0)
        {
            throw Mismatch(column, $"{Expected}, of known size",
                "Give its size where it is made: in the loader's column, with [VectorType(n)], or in SchemaDefinition.");
        }

        return column;
    }

    private static DataViewSchema.Column Require(DataViewSchema schema, string name, string role) =>
        schema.GetColumnOrNull(name) ?? throw new ArgumentOutOfRangeException(
            "schema",
            $"The {role} column '{name}' is not in the data. Its columns are {string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}.");

    private static ArgumentOutOfRangeException Mismatch(DataViewSchema.Column column, string expected, string remedy) =>
        new("schema", $"Column '{column.Name}' must be {expected}; found {column.Type}. {remedy}");

    private static InputShape ShapeOf(DataViewSchema.Column features, DistillationOptions options)
    {
        var type = (VectorDataViewType)features.Type;
        var given = options.ImageShape ?? options.Student.Image;
        if (given is { } image)
        {
            return image.Length == type.Size
                ? image
                : throw new ArgumentOutOfRangeException(
                    "schema",
                    $"An image of {image} has {image.Length} values; column '{features.Name}' has {type.Size} ({type}). Give the shape as channels, height, width.");
        }

        if (!options.Student.NeedsImages)
            return InputShape.Vector(type.Size);
        if (type.Dimensions is [1 or 3, var height, var width])
            return InputShape.Image(type.Dimensions[0], height, width);
        throw new ArgumentOutOfRangeException(
            "schema",
            $"{options.Student.Name} reads images, and column '{features.Name}' is a {type}, which does not say its shape. " +
            "Give ImageShape = InputShape.Image(channels, height, width) in the options or with the student.");
    }
}
