using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Alignment;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

/// <summary>Where a model's answers are, and what the caller says of them.</summary>
/// <param name="Score">The column of class scores.</param>
/// <param name="Embedding">The column of embeddings, or null.</param>
/// <param name="Settings">What the scores are.</param>
internal sealed record ScoreColumns(string Score, string? Embedding, ScoreSettings Settings)
{
    /// <summary>All of it as text, for the key of a record.</summary>
    public string Description => $"{Score}|{Embedding}|{Settings.Description}";

    /// <summary>What a teacher with these columns gives.</summary>
    public ModelOutputs Kinds => ModelOutputs.Logits | (Embedding is null ? ModelOutputs.None : ModelOutputs.Embedding);

    public IEnumerable<string> Validate()
    {
        if (string.IsNullOrWhiteSpace(Score))
            yield return "The teacher's scoreColumnName must be a column name; was empty.";
        if (Embedding is not null && string.IsNullOrWhiteSpace(Embedding))
            yield return "The teacher's embeddingColumnName must be a column name, or null for none; was empty.";
        foreach (var fault in Settings.Validate())
            yield return fault;
    }

    /// <summary>Finds the columns in a view that holds a teacher's answers.</summary>
    /// <param name="scored">The view.</param>
    /// <param name="student">The student's classes.</param>
    /// <param name="kind">What the scores are as far as the model itself says it: what stands in for <see cref="ScoreKind.Auto"/>, and a hint for messages.</param>
    /// <param name="place">What messages say after a row number, where the view is only a part of the data.</param>
    /// <param name="unseen">Classes that the model was fitted without; null for none.</param>
    /// <param name="model">What messages call the model that computes the answers; null where they are data.</param>
    /// <exception cref="InvalidOperationException">A column is missing, of the wrong type, or does not fit the student's classes.</exception>
    public ScoredView In(IDataView scored, ClassLabels student, RecognisedScores kind, string place = "", UnseenClasses? unseen = null, string? model = null)
    {
        scored = TwoClassScores.Of(scored, Score, Settings.Kind);
        var (score, classes) = ScoresIn(scored.Schema);
        var embedding = Embedding is null ? (DataViewSchema.Column?)null : Find(scored.Schema, Embedding, "embeddings", "embeddingColumnName");
        if (embedding is { } column && VectorOf(column) is null)
            throw new InvalidOperationException($"The teacher's column '{Embedding}' must be a Vector<Single, D> to be its embeddings; found {column.Type}.");
        var found = AnnotatedNames.Read(score, AnnotatedNames.TrainingLabelValues) ?? AnnotatedNames.Read(score, AnnotatedNames.SlotNames);
        var subject = Subject;
        var order = new ClassAlignment($"column '{Score}'", place, unseen: unseen).Order(classes, found, Settings, student);
        var reader = new ScoreReader(subject, Settings.Kind == ScoreKind.Auto ? kind.Kind : Settings.Kind, order, kind.Hint, unseen);
        return new ScoredView(scored, score, embedding, reader, place, model);
    }

    /// <summary>Says in the log what is read of a model of two classes that gives one number a row.</summary>
    public void NoteTwoClasses(DataViewSchema schema, IChannel channel)
    {
        if (BinaryColumn.Note(schema, Score, Settings.Kind) is { } note)
            channel.Info($"{note}");
    }

    private string Subject => $"The teacher's column '{Score}'";

    /// <summary>The student's classes where no label says them, as a key column: those of the scores, under the names that they or the caller give them.</summary>
    /// <exception cref="InvalidOperationException">The column is missing or of the wrong type, or a class map is given and the teacher's class names are unknown.</exception>
    public DataViewSchema.Column ClassesIn(DataViewSchema schema)
    {
        schema = TwoClassScores.SchemaOf(schema, Score, Settings.Kind);
        var (score, classes) = ScoresIn(schema);
        if (Settings.Classes() is { } given)
            return given;
        foreach (var annotation in new[] { AnnotatedNames.TrainingLabelValues, AnnotatedNames.SlotNames })
        {
            if (AnnotatedNames.Read(score, annotation) is { } names)
                return Settings.Map is null && names.Count == classes ? ClassColumn.Like(score, annotation, classes) : ClassColumn.Of(Settings.Mapped(names));
        }

        return Settings.Map is null ? ClassColumn.Of(classes) : throw new InvalidOperationException(
            $"{Subject} does not say which class each of its {classes} scores is for, so the ClassMap has no names to go by: give classNames with the teacher.");
    }

    private (DataViewSchema.Column Column, int Classes) ScoresIn(DataViewSchema schema)
    {
        var score = Find(schema, Score, "scores", "scoreColumnName");
        return VectorOf(score) is { } classes ? (score, classes) : throw new InvalidOperationException(
            $"{Subject} must be a Vector<Single, K> with one score for each class; found {score.Type}. " +
            (IsOtherNumbers(score) ? $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{Score}\", outputKind: DataKind.Single)." : "A multiclass model gives such a column, and a binary one a single number of Single."));
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, string what, string option) => schema.GetColumnOrNull(name)
        ?? throw new InvalidOperationException(
            $"The teacher gives no column '{name}'. It gives {string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}; " +
            $"name its {what} with {option}.");

    private static bool IsOtherNumbers(DataViewSchema.Column column) => column.Type is VectorDataViewType { Size: > 0, ItemType: NumberDataViewType };

    private static int? VectorOf(DataViewSchema.Column column) =>
        column.Type is VectorDataViewType { Size: > 0 } vector && vector.ItemType == NumberDataViewType.Single ? vector.Size : null;
}
