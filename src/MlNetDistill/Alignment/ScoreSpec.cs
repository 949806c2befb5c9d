using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Trainers;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Alignment;

/// <summary>The caller's description of a model's scores: their column, their kind, and the class of each.</summary>
/// <param name="Kind">Their kind.</param>
/// <param name="ClassNames">The class of each, or null where the model has the names.</param>
/// <param name="Map">How the teacher's classes become the student's.</param>
internal sealed record ScoreSpec(ScoreKind Kind, IReadOnlyList<string>? ClassNames = null, ClassMap? Map = null)
{
    /// <summary>The column of scores; empty where they are in no data view.</summary>
    public string Column { get; init; } = "";

    /// <summary>The column of embeddings, or null.</summary>
    public string? Embedding { get; init; }

    /// <summary>Where the scores are, in messages: for example <c>column 'Score'</c>.</summary>
    public string Place { get => field ?? $"column '{Column}'"; init; }

    /// <summary>Whether they are a teacher's scores; otherwise the student's.</summary>
    public bool IsTeacher { get; init; } = true;

    /// <summary>What messages advise if the scores are not probabilities; null for the text for teachers.</summary>
    public string? Hint { get; init; }

    /// <summary>Names of the options for the column, the kind and the classes, for messages.</summary>
    public (string Column, string Kind, string ClassNames) Options { get; init; } = ("scoreColumnName", "scoreKind", "classNames");

    /// <summary>The scores in messages: for example <c>The teacher's column 'Score'</c>.</summary>
    public string Subject => $"The {(IsTeacher ? "teacher" : "student")}'s {Place}";

    /// <summary>Kind and classes as text, for a cache key.</summary>
    public string Meaning => JsonSerializer.Serialize(new { Kind = $"{Kind}", ClassNames, Names = Map?.Names.OrderBy(n => n.Key, StringComparer.Ordinal), Map?.DropOthers });

    /// <summary>Columns, kind and classes as text, for a cache key.</summary>
    public string Description => $"{Column}|{Embedding}|{Meaning}";

    /// <summary>What a teacher with these columns gives.</summary>
    public ModelOutputs Outputs => ModelOutputs.Logits | (Embedding is null ? ModelOutputs.None : ModelOutputs.Embedding);

    /// <summary>
    /// Adds what the type of an ML.NET model tells about its scores. Only for the column name that predictors use, which holds the scores of the last predictor;
    /// a copy under another name may be of an earlier one.
    /// </summary>
    public ScoreSpec AdaptTo(ITransformer model) => Column != "Score" ? this : LastPredictor(model) switch
    {
        // Its scores are log p(class) + Σ log p(feature | class): softmax gives its posterior.
        ISingleFeaturePredictionTransformer<NaiveBayesMulticlassModelParameters> when Kind == ScoreKind.Auto => this with { Kind = ScoreKind.Logits },
        ISingleFeaturePredictionTransformer<OneVersusAllModelParameters> when IsTeacher => this with
        {
            Hint = "The teacher is a one-versus-all model, so these are the uncalibrated margins of its classifiers: set ScoreKind.Margins, or better, keep " +
                "useProbabilities of OneVersusAll true and use a calibrated trainer.",
        },
        _ => this,
    };

    /// <summary>The caller's class names as a key column, for data without a label; null where there are none.</summary>
    public DataViewSchema.Column? Classes() => ClassNames is { } names ? ClassColumn.FromNames(Mapped(names)) : null;

    /// <summary>The student's names for a teacher's classes; with <see cref="ClassMap.DropOthers"/>, only of those in the map.</summary>
    public IReadOnlyList<string> Mapped(IReadOnlyList<string> names) => Map is null ? names :
    [
        .. names.Where(name => !Map.DropOthers || Map.Names.ContainsKey(name)).Select(name => Map.Names.GetValueOrDefault(name, name)).Distinct(),
    ];

    public IEnumerable<string> Validate() =>
    [
        .. Faults.Defined("ScoreKind", Kind),
        .. Faults.Unless(
            ClassNames?.Any(name => name is null || (name.Length == 0 && Map is not { DropOthers: true })) != true,
            $"Every entry of classNames must be a name; one is empty. Only with a ClassMap with DropOthers, names of classes that are left out may be empty."),
        .. Faults.Unless(Map is not { Names: null }, $"ClassMap.Names must not be null; leave it empty to keep all names."),
        .. Map?.Names?.FirstOrDefault(n => string.IsNullOrEmpty(n.Value)) is { Key: { } from } ? [$"ClassMap.Names must map '{from}' to a class of the student; was empty."] : Array.Empty<string>(),
    ];

    /// <summary>The same for scores that are in a column.</summary>
    public IEnumerable<string> ValidateColumns() =>
    [
        .. Faults.Unless(!string.IsNullOrWhiteSpace(Column), $"The teacher's scoreColumnName must be a column name; was empty."),
        .. Faults.Unless(Embedding is null || !string.IsNullOrWhiteSpace(Embedding), $"The teacher's embeddingColumnName must be a column name, or null for none; was empty."),
        .. Validate(),
    ];

    /// <summary>Matches the classes of the scores to the student's by name.</summary>
    /// <param name="count">Number of scores in a row.</param>
    /// <param name="annotated">The class names in the annotations of the score column, or null.</param>
    /// <param name="student">The student's classes.</param>
    /// <param name="part">Added to "the teacher" in messages, where it was fitted on a part of the data.</param>
    /// <param name="unseen">The student's classes that the model was fitted without, with their share of the rows; null for none.</param>
    /// <exception cref="InvalidOperationException">The classes differ, or have no names to match them by.</exception>
    public AlignedScores Align(
        int count, IReadOnlyList<string>? annotated, ClassLabels student, string part = "", IReadOnlyDictionary<int, double>? unseen = null) =>
        new(Subject, count, new ClassAlignment(this, part, unseen).Match(count, annotated, student), Kind, Hint);

    private static ITransformer? LastPredictor(ITransformer model) => model is IEnumerable<ITransformer> chain
        ? chain.Select(LastPredictor).LastOrDefault(predictor => predictor is not null)
        : model is IPredictionTransformer<object> ? model : null;
}

/// <summary>The kind of a model's scores, and the student's class of each.</summary>
/// <param name="Subject">The scores in messages: for example <c>The student's column 'Score'</c>.</param>
/// <param name="Count">Number of scores in a row.</param>
/// <param name="Order">Their classes.</param>
/// <param name="Kind">Their kind; <see cref="ScoreKind.Auto"/> for probabilities whose kind the caller did not set.</param>
/// <param name="Hint">What messages advise if they are not probabilities; null for the text for teachers.</param>
internal sealed record AlignedScores(string Subject, int Count, ClassOrder Order, ScoreKind Kind, string? Hint);
