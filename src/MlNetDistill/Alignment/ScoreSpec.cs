using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Trainers;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Alignment;

/// <summary>A model's scores as the caller describes them: where they are, what they are, and which class each is for.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="ClassNames">The class of each, or null where the model names them itself.</param>
/// <param name="Map">How they become the student's classes.</param>
internal sealed record ScoreSpec(ScoreKind Kind, IReadOnlyList<string>? ClassNames = null, ClassMap? Map = null)
{
    /// <summary>The column of scores; empty where they are in no data view.</summary>
    public string Column { get; init; } = "";

    /// <summary>The column of embeddings, or null.</summary>
    public string? Embedding { get; init; }

    /// <summary>Where messages say that the scores are, for example <c>column 'Score'</c>.</summary>
    public string Place { get => field ?? $"column '{Column}'"; init; }

    /// <summary>Whether they are a teacher's; else the student's.</summary>
    public bool IsTeacher { get; init; } = true;

    /// <summary>What to do about scores that are no probabilities and are not said to be anything else; null for what is said of teachers.</summary>
    public string? Hint { get; init; }

    /// <summary>The options by which the caller names the column, the kind and the classes.</summary>
    public (string Column, string Kind, string ClassNames) Options { get; init; } = ("scoreColumnName", "scoreKind", "classNames");

    /// <summary>What messages call the scores, for example <c>The teacher's column 'Score'</c>.</summary>
    public string Subject => $"The {(IsTeacher ? "teacher" : "student")}'s {Place}";

    /// <summary>What the scores mean as text, for the key of a cache.</summary>
    public string Meaning => JsonSerializer.Serialize(new { Kind = $"{Kind}", ClassNames, Names = Map?.Names.OrderBy(n => n.Key, StringComparer.Ordinal), Map?.DropOthers });

    /// <summary>All of it as text, for the key of a cache.</summary>
    public string Description => $"{Column}|{Embedding}|{Meaning}";

    /// <summary>What a teacher with these columns gives.</summary>
    public ModelOutputs Outputs => ModelOutputs.Logits | (Embedding is null ? ModelOutputs.None : ModelOutputs.Embedding);

    /// <summary>
    /// The same with what is known of an ML.NET model, where these are the scores of its last predictor, under the name that predictors give them; a copy under
    /// another name may be an earlier one's.
    /// </summary>
    public ScoreSpec AdaptTo(ITransformer model) => Column != "Score" ? this : LastPredictor(model) switch
    {
        // Its scores are log p(class) + Σ log p(feature | class): softmax gives its posterior.
        ISingleFeaturePredictionTransformer<NaiveBayesMulticlassModelParameters> when Kind == ScoreKind.Auto => this with { Kind = ScoreKind.Logits },
        ISingleFeaturePredictionTransformer<OneVersusAllModelParameters> when IsTeacher => this with
        {
            Hint = "The teacher is a one-versus-all model, so these are its classifiers' uncalibrated margins: give ScoreKind.Margins, or better, leave " +
                "useProbabilities of OneVersusAll on, with a trainer that is calibrated.",
        },
        _ => this,
    };

    /// <summary>The student's classes where no label names them, as a key column: those that the caller names; null where there are no names.</summary>
    public DataViewSchema.Column? Classes() => ClassNames is { } names ? ClassColumn.FromNames(Mapped(names)) : null;

    /// <summary>What a teacher's classes are called by the student: with <see cref="ClassMap.DropOthers"/> those alone that the map lists.</summary>
    public IReadOnlyList<string> Mapped(IReadOnlyList<string> names) => Map is null ? names :
    [
        .. names.Where(name => !Map.DropOthers || Map.Names.ContainsKey(name)).Select(name => Map.Names.GetValueOrDefault(name, name)).Distinct(),
    ];

    public IEnumerable<string> Validate() =>
    [
        .. Faults.Defined("ScoreKind", Kind),
        .. Faults.Unless(
            ClassNames?.Any(name => name is null || (name.Length == 0 && Map is not { DropOthers: true })) != true,
            $"Every one of classNames must be a name; one is empty. A ClassMap with DropOthers leaves classes out, and then their names may be empty."),
        .. Faults.Unless(Map is not { Names: null }, $"ClassMap.Names must be given; it is empty where all names are kept."),
        .. Map?.Names?.FirstOrDefault(n => string.IsNullOrEmpty(n.Value)) is { Key: { } from } ? [$"ClassMap.Names must give a class of the student for '{from}'; was empty."] : Array.Empty<string>(),
    ];

    /// <summary>The same for scores that are in a column.</summary>
    public IEnumerable<string> ValidateColumns() =>
    [
        .. Faults.Unless(!string.IsNullOrWhiteSpace(Column), $"The teacher's scoreColumnName must be a column name; was empty."),
        .. Faults.Unless(Embedding is null || !string.IsNullOrWhiteSpace(Embedding), $"The teacher's embeddingColumnName must be a column name, or null for none; was empty."),
        .. Validate(),
    ];

    /// <summary>The scores with their classes matched to the student's by name.</summary>
    /// <param name="count">Number of scores in a row.</param>
    /// <param name="found">The names that the model itself gives its scores, or null.</param>
    /// <param name="student">The student's classes.</param>
    /// <param name="part">What messages say after the teacher, where it was fitted on a part of the data.</param>
    /// <param name="unseen">Classes of the student that the model was fitted without, with their share of the rows; null for none.</param>
    /// <exception cref="InvalidOperationException">The classes differ, or cannot be matched for want of names.</exception>
    public AlignedScores Align(
        int count, IReadOnlyList<string>? found, ClassLabels student, string part = "", IReadOnlyDictionary<int, double>? unseen = null) =>
        new(Subject, count, new ClassAlignment(this, part, unseen).Order(count, found, student), Kind, Hint);

    private static ITransformer? LastPredictor(ITransformer model) => model is IEnumerable<ITransformer> chain
        ? chain.Select(LastPredictor).LastOrDefault(found => found is not null)
        : model is IPredictionTransformer<object> ? model : null;
}

/// <summary>Rows of scores and what they mean: what the numbers are, and which class of the student each is for.</summary>
/// <param name="Subject">What messages call them, for example <c>The student's column 'Score'</c>.</param>
/// <param name="Count">Number of scores in a row.</param>
/// <param name="Order">Their classes.</param>
/// <param name="Kind">What they are; <see cref="ScoreKind.Auto"/> for probabilities that nobody said they are.</param>
/// <param name="Hint">What to do where they are no probabilities; null for what is said of teachers.</param>
internal sealed record AlignedScores(string Subject, int Count, ClassOrder Order, ScoreKind Kind, string? Hint);
