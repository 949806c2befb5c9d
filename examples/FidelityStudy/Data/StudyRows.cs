using Microsoft.ML;
using Microsoft.ML.Data;
using Quickstart.Data;

namespace FidelityStudy.Data;

/// <summary>A row that networks read, with a teacher's answer.</summary>
internal sealed class StudyRow
{
    public string Label { get; set; } = "";

    public float[] Features { get; set; } = [];

    /// <summary>A teacher's probability of each class; empty if no teacher was queried.</summary>
    public float[] TeacherScore { get; set; } = [];
}

/// <summary>The rows of the study, and data views of them, all with the same classes in the same order.</summary>
internal sealed class StudyRows
{
    private readonly MLContext _mlContext;
    private readonly ITransformer _keys;
    private readonly int _features;

    private StudyRows(MLContext mlContext, string title, StudyRow[] train, StudyRow[] test)
    {
        _mlContext = mlContext;
        _features = train[0].Features.Length;
        (Title, Train, Test) = (title, train, test);
        Classes = [.. train.Select(row => row.Label).Distinct()];
        _keys = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(Load(train));
    }

    public string Title { get; }

    public StudyRow[] Train { get; }

    public StudyRow[] Test { get; }

    /// <summary>The classes, in the order of their keys.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <exception cref="UsageException">There is no such file, or it is not a table of numbers.</exception>
    public static StudyRows From(Settings settings, MLContext mlContext)
    {
        if (settings.Data is not { } file)
        {
            // Two painters, so that the test images are drawn with another seed.
            var (train, test) = (new DigitPainter(2).Draw(settings.Quick ? 600 : 6000), new DigitPainter(3).Draw(settings.Quick ? 600 : 4000));
            return new StudyRows(mlContext, "Distorted digits, drawn by this program", [.. train.Select(AsFloats)], [.. test.Select(AsFloats)]);
        }

        if (!File.Exists(file))
            throw new UsageException($"--data must be followed by a file; there is no '{file}'.");
        var (first, rest) = CsvTable.Split(CsvTable.Read(mlContext, file, settings.Label));
        if (settings.Quick)
            (first, rest) = (first[..Math.Min(first.Length, 2000)], rest[..Math.Min(rest.Length, 1000)]);
        return new StudyRows(mlContext, Path.GetFileName(file), Scaled(mlContext, first, first), Scaled(mlContext, first, rest));
    }

    /// <summary>Rows as a view with the columns <c>Class</c> (key), <c>Features</c> and <c>TeacherScore</c>.</summary>
    public IDataView View(IEnumerable<StudyRow> rows) => _keys.Transform(Load([.. rows]));

    /// <summary>The columns of rows, with or without a teacher's answers.</summary>
    public SchemaDefinition Schema(bool answered = false)
    {
        var schema = SchemaDefinition.Create(typeof(StudyRow));
        schema[nameof(StudyRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, _features);
        if (answered)
            schema[nameof(StudyRow.TeacherScore)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Classes.Count);
        else
            schema.Remove(schema[nameof(StudyRow.TeacherScore)]);
        return schema;
    }

    private IDataView Load(StudyRow[] rows) => _mlContext.Data.LoadFromEnumerable(rows, Schema(answered: rows[0].TeacherScore.Length > 0));

    private static StudyRow AsFloats(Row<byte> image) => new() { Label = image.Label, Features = [.. image.Features.Select(pixel => pixel / 255f)] };

    /// <summary>Measurements have different units and ranges; a network learns faster from columns with the same range.</summary>
    private static StudyRow[] Scaled(MLContext mlContext, Row<float>[] fitted, Row<float>[] rows)
    {
        int[] dimensions = [rows[0].Features.Length];
        var scaling = mlContext.Transforms.NormalizeMeanVariance("Features", fixZero: false).Fit(Row<float>.View(mlContext, fitted, dimensions));
        var features = scaling.Transform(Row<float>.View(mlContext, rows, dimensions)).GetColumn<float[]>("Features");
        return [.. rows.Zip(features, (row, scaled) => new StudyRow { Label = row.Label, Features = scaled })];
    }
}
