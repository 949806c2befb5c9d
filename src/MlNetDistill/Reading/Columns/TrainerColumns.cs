using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Reading;

/// <summary>The columns that a trainer reads and its student writes, found in a schema and checked.</summary>
/// <param name="Features">The student's features.</param>
/// <param name="Label">The label, or null if the data have none.</param>
/// <param name="ClassKey">The key column with the classes: the label, or a column made of the teacher's classes.</param>
/// <param name="Weight">Example weights, or null.</param>
/// <param name="Validation">Which rows are held out, or null.</param>
/// <param name="Classes">The classes.</param>
/// <param name="Layout">Shape and order of the features.</param>
internal sealed record TrainerColumns(
    DataViewSchema.Column Features,
    DataViewSchema.Column? Label,
    DataViewSchema.Column ClassKey,
    DataViewSchema.Column? Weight,
    DataViewSchema.Column? Validation,
    ClassLabels Classes,
    RowLayout Layout)
{
    // A bare [KeyType] or a hash makes a key of billions of values; no one wants a last layer of that size.
    private const ulong MostClasses = 1 << 20;

    public InputShape Shape => Layout.Shape;

    /// <summary>Name of the student's probabilities.</summary>
    public required string Score { get; init; }

    /// <summary>Name of the student's predicted class.</summary>
    public required string PredictedLabel { get; init; }

    /// <summary>Whether the input has a <c>Score</c> column that the student, whose scores have another name, must not change.</summary>
    public required bool KeepsScore { get; init; }

    public bool IsByte => ((VectorDataViewType)Features.Type).ItemType.RawType == typeof(byte);

    /// <summary>Finds the columns.</summary>
    /// <param name="schema">The schema of the rows.</param>
    /// <param name="options">The names of the columns.</param>
    /// <param name="classKey">The classes if there is no label and they are known; null to take the teacher's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">There is no label, and the teacher does not say what its classes are.</exception>
    public static TrainerColumns Find(DataViewSchema schema, DistillationOptions options, DataViewSchema.Column? classKey = null)
    {
        var features = Require(schema, options.FeatureColumnName, "feature", nameof(options.FeatureColumnName), c => c.RequireFeatures());
        var label = FindOptional(schema, options.LabelColumnName, "label", nameof(options.LabelColumnName), c => c.RequireLabel());
        var key = label ?? classKey ?? TeacherClasses(schema, options);
        CheckCount(label, ((KeyDataViewType)key.Type).Count, options);
        var weight = FindOptional(schema, options.ExampleWeightColumnName, "example weight", nameof(options.ExampleWeightColumnName), c => c.RequireWeight());
        var validation = FindOptional(schema, options.ValidationColumnName, "validation", nameof(options.ValidationColumnName), c => c.RequireValidation());
        return new TrainerColumns(features, label, key, weight, validation, ClassLabels.FromKeyColumn(key), LayoutOf(features, options))
        {
            Score = options.ScoreColumnName,
            PredictedLabel = options.PredictedLabelColumnName,
            KeepsScore = options.ScoreColumnName != "Score" && schema.GetColumnOrNull("Score") is not null,
        };
    }

    private static DataViewSchema.Column TeacherClasses(DataViewSchema schema, DistillationOptions options) =>
        options.Teacher!.ClassesIn(schema) ?? throw new InvalidOperationException(
            $"LabelColumnName is null, so the classes are the teacher's, and the teacher ({options.Teacher.Name}) does not say what they are. Give classNames with " +
            "the teacher, in the order of its scores; or name a key column in LabelColumnName, whose values name the classes even where no row has a label.");

    private static void CheckCount(DataViewSchema.Column? label, ulong classes, DistillationOptions options)
    {
        if (label is not { } column)
        {
            if (classes < 2)
                throw new InvalidOperationException($"The teacher ({options.Teacher!.Name}) names {classes} class; a classifier needs at least 2.");
            return;
        }

        if (classes < 2)
        {
            throw new ArgumentOutOfRangeException(
                "schema",
                $"The label column '{column.Name}' has {classes} class; a classifier needs at least 2. Fit its MapValueToKey to data with rows of every class.");
        }

        if (classes > MostClasses)
        {
            throw new ArgumentOutOfRangeException(
                "schema",
                $"The label column '{column.Name}' has {classes} classes ({column.Type}); at most {MostClasses} are supported. " +
                "State the count with [KeyType(n)], or make the key with MapValueToKey.");
        }
    }

    private static DataViewSchema.Column? FindOptional(DataViewSchema schema, string? name, string role, string option, Action<ColumnCheck> check) =>
        name is null ? null : Require(schema, name, role, option, check);

    private static DataViewSchema.Column Require(DataViewSchema schema, string name, string role, string option, Action<ColumnCheck> check)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw ColumnCheck.Missing(name, role, option, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        check(ColumnCheck.FromColumn(column));
        return column;
    }

    private static RowLayout LayoutOf(DataViewSchema.Column features, DistillationOptions options)
    {
        var type = (VectorDataViewType)features.Type;
        NetworkSpec[] networks = [options.Student, .. options.Teacher?.TrainedNetworks ?? []];
        var given = options.ImageShapes.Select(shape => (InputShape?)shape).FirstOrDefault();
        var reader = networks.FirstOrDefault(n => n.NeedsImages);
        var own = RowLayout.FromDimensions(type);
        // Interleaved pixels are not read as a vector, because a teacher that reads images from the same column needs planes.
        var layout = given is { } image ? RowLayout.FromShape(type, image, "The image shape given", features.Name)
            : reader is not null && !own.Shape.IsImage ? throw CreateShapeError(reader)
            : reader is not null || own.IsInterleaved ? own
            : new RowLayout(InputShape.Vector(type.Size));
        var shape = layout.Shape;
        foreach (var network in networks)
        {
            if (network.ValidateShape(shape) is { } fault)
                throw new ArgumentOutOfRangeException("schema", $"{fault} Column '{features.Name}' is a {type}.");
        }

        foreach (var augmentation in options.Augmentations)
        {
            if (augmentation.ValidateShape(shape) is { } fault)
                throw new ArgumentOutOfRangeException("schema", $"{fault} Column '{features.Name}' is a {type}.");
        }

        return layout;

        ArgumentOutOfRangeException CreateShapeError(NetworkSpec network) => type.Dimensions.Length == 3
            ? new("schema", $"{network.Name} reads images, and column '{features.Name}' is a {type}: neither channels, height, width nor height, width, channels " +
                "with 1 or 3 channels. ExtractPixels gives 3 with ColorBits.Rgb, and 1 with one colour of a grey image; for other channels give " +
                "ImageShape = InputShape.Image(channels, height, width).")
            : new("schema", $"{network.Name} reads images, and column '{features.Name}' is a {type}, which does not say its shape. " +
                "Give ImageShape = InputShape.Image(channels, height, width) in the options or with the network.");
    }
}
