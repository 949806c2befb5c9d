using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Diagnostics;

namespace MlNetDistill.Alignment;

/// <summary>Finds the column to read of a binary model, which gives one number per row: its probability of 'true' where it has one, else its score.</summary>
internal static class BinaryColumn
{
    private const string SetId = "ScoreColumnSetId";
    private const string Kind = "ScoreColumnKind";
    private const string ValueKind = "ScoreValueKind";
    private const string Probability = "Probability";
    private const string Binary = "BinaryClassification";

    /// <summary>The column to read and what it holds; null if the score column is not a Single.</summary>
    /// <param name="schema">The schema of a model's output, or of data that contain it.</param>
    /// <param name="scores">The caller's description of the scores.</param>
    /// <exception cref="InvalidOperationException">The model is not a binary one, or the kind of its scores is unknown.</exception>
    public static (DataViewSchema.Column Column, ScoreKind Kind)? Find(DataViewSchema schema, ScoreSpec scores)
    {
        var (name, kind) = (scores.Column, scores.Kind);
        if (schema.GetColumnOrNull(name) is not { } score || score.Type != NumberDataViewType.Single)
            return null;
        if (ReadText(score, Kind) is { } task && task != Binary)
        {
            throw new InvalidOperationException(
                $"The teacher's column '{name}' is the score of a {task} model, which has no classes. Use a multiclass or binary classification model as the teacher.");
        }

        if (kind is ScoreKind.Logits or ScoreKind.Margins)
            return (score, kind);
        if (ReadText(score, ValueKind) == Probability)
            return (score, ScoreKind.Probabilities);
        if (FindProbability(score, schema) is { } probability)
            return (probability, ScoreKind.Probabilities);
        if (kind == ScoreKind.Probabilities)
            return (score, kind);
        throw new InvalidOperationException(
            $"The teacher's column '{name}' holds one number per row, and it is unknown what the number means. If it is the score of an uncalibrated binary model, " +
            $"set {scores.Options.Kind} to Margins: σ(score) is then taken as the probability of 'true'. It predicts the same class, but its confidence means little, so it is " +
            "better to calibrate the model with mlContext.BinaryClassification.Calibrators.Platt. If the number is the probability of 'true', set Probabilities; if it is the " +
            "log-odds, set Logits.");
    }

    /// <summary>Logs which column of a binary model is read.</summary>
    public static void LogChoice(DataViewSchema schema, ScoreSpec scores, IChannel channel)
    {
        if (Find(schema, scores) is not { } choice)
            return;
        var (value, meaning) = choice.Kind switch
        {
            ScoreKind.Probabilities => ("its", "probability"),
            ScoreKind.Logits => ("its", "log-odds"),
            _ => ("σ of its", "probability"),
        };
        channel.Info($"The teacher has two classes: {value} column '{choice.Column.Name}' is taken as the {meaning} of 'true'.");
    }

    /// <summary>The probability column of the same predictor or of its calibrator: both share the score's set id.</summary>
    private static DataViewSchema.Column? FindProbability(DataViewSchema.Column score, DataViewSchema schema)
    {
        if (ReadAnnotation<uint>(score, SetId) is not { } id)
            return null;
        foreach (var column in schema)
        {
            if (!column.IsHidden && column.Type == NumberDataViewType.Single && column.Index != score.Index && ReadAnnotation<uint>(column, SetId) == id
                && (ReadText(column, ValueKind) == Probability || column.Name == Probability))
            {
                return column;
            }
        }

        return null;
    }

    private static string? ReadText(DataViewSchema.Column column, string annotation) => ReadAnnotation<ReadOnlyMemory<char>>(column, annotation)?.ToString();

    private static T? ReadAnnotation<T>(DataViewSchema.Column column, string annotation)
        where T : struct
    {
        if (column.Annotations.Schema.GetColumnOrNull(annotation)?.Type.RawType != typeof(T))
            return null;
        T value = default;
        column.Annotations.GetValue(annotation, ref value);
        return value;
    }
}
