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
    // A bare [KeyType] or a hash makes a key of billions of values; a last layer of that size is never meant.
    private const ulong MostClasses = 1 << 20;

    public bool IsByte => ((VectorDataViewType)Features.Type).ItemType.RawType == typeof(byte);

    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    public static TrainerColumns Find(DataViewSchema schema, DistillationOptions options)
    {
        var features = Require(schema, options.FeatureColumnName, "feature", nameof(options.FeatureColumnName), c => c.IsFeatures());
        var label = Require(schema, options.LabelColumnName, "label", nameof(options.LabelColumnName), c => c.IsLabel());
        var classes = ((KeyDataViewType)label.Type).Count;
        if (classes < 2)
        {
            throw new ArgumentOutOfRangeException(
                "schema",
                $"The label column '{label.Name}' has {classes} class; a classifier needs at least 2. Fit its MapValueToKey to data with rows of every class.");
        }

        if (classes > MostClasses)
        {
            throw new ArgumentOutOfRangeException(
                "schema",
                $"The label column '{label.Name}' has {classes} classes ({label.Type}); at most {MostClasses} are supported. " +
                "State the count with [KeyType(n)], or make the key with MapValueToKey.");
        }

        var weight = options.ExampleWeightColumnName is { } name
            ? Require(schema, name, "example weight", nameof(options.ExampleWeightColumnName), c => c.IsWeight())
            : (DataViewSchema.Column?)null;
        var validation = options.ValidationColumnName is { } flag
            ? Require(schema, flag, "validation", nameof(options.ValidationColumnName), c => c.IsValidation())
            : (DataViewSchema.Column?)null;
        return new TrainerColumns(features, label, weight, validation, ClassLabels.Of(label), ShapeOf(features, options));
    }

    private static DataViewSchema.Column Require(DataViewSchema schema, string name, string role, string option, Action<ColumnCheck> check)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw ColumnCheck.Missing(name, role, option, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        check(ColumnCheck.Of(column));
        return column;
    }

    private static InputShape ShapeOf(DataViewSchema.Column features, DistillationOptions options)
    {
        var type = (VectorDataViewType)features.Type;
        NetworkSpec[] networks = [options.Student, .. options.Teacher?.TrainedNetworks ?? []];
        var given = options.ImageShapes.Select(shape => (InputShape?)shape).FirstOrDefault();
        var reader = networks.FirstOrDefault(n => n.NeedsImages);
        var shape = given is { } image ? Given(image) : reader is null ? InputShape.Vector(type.Size) : FromColumn(reader);
        foreach (var network in networks)
        {
            if (network.ShapeFault(shape) is { } fault)
                throw new ArgumentOutOfRangeException("schema", $"{fault} Column '{features.Name}' is a {type}.");
        }

        foreach (var augmentation in options.Augmentations)
        {
            if (augmentation.ShapeFault(shape) is { } fault)
                throw new ArgumentOutOfRangeException("schema", $"{fault} Column '{features.Name}' is a {type}.");
        }

        return shape;

        InputShape Given(InputShape image) => image.Length == type.Size
            ? image
            : throw new ArgumentOutOfRangeException(
                "schema",
                $"An image of {image} has {image.Length} values; column '{features.Name}' has {type.Size} ({type}). Give the shape as channels, height, width.");

        InputShape FromColumn(NetworkSpec network) => type.Dimensions is [1 or 3, var height, var width]
            ? InputShape.Image(type.Dimensions[0], height, width)
            : throw new ArgumentOutOfRangeException(
                "schema",
                $"{network.Name} reads images, and column '{features.Name}' is a {type}, which does not say its shape. " +
                "Give ImageShape = InputShape.Image(channels, height, width) in the options or with the network.");
    }
}
