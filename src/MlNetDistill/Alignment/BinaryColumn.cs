using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Diagnostics;

namespace MlNetDistill.Alignment;

/// <summary>The column of a binary model, one number a row, that says most of its two classes: its probability where it has one.</summary>
internal static class BinaryColumn
{
    private const string SetId = "ScoreColumnSetId";
    private const string Kind = "ScoreColumnKind";
    private const string ValueKind = "ScoreValueKind";
    private const string Probability = "Probability";
    private const string Binary = "BinaryClassification";

    /// <summary>The column to read and what it holds; null where the column named is no single number of 32-bit floating point.</summary>
    /// <param name="schema">The schema of a model's answers, or of data that hold them.</param>
    /// <param name="scores">What the caller says of its scores.</param>
    /// <exception cref="InvalidOperationException">The model does not have two classes, or the kind of its scores is unknown.</exception>
    public static (DataViewSchema.Column Column, ScoreKind Kind)? Find(DataViewSchema schema, ScoreSpec scores)
    {
        var (name, kind) = (scores.Column, scores.Kind);
        if (schema.GetColumnOrNull(name) is not { } score || score.Type != NumberDataViewType.Single)
            return null;
        if (ReadText(score, Kind) is { } model && model != Binary)
        {
            throw new InvalidOperationException(
                $"The teacher's column '{name}' is the score of a model of another task ({model}), which names no classes. A model of multiclass or of binary classification can teach.");
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
            $"The teacher's column '{name}' holds one number a row, and nothing says what it is. Of a binary model that is not calibrated give {scores.Options.Kind} Margins, which takes " +
            "σ(score) for the probability of 'true'; that is sure of the class and says little of how sure, so better calibrate the model, with " +
            "mlContext.BinaryClassification.Calibrators.Platt. Of a column with the probability of 'true' give Probabilities, of one with its log-odds Logits.");
    }

    /// <summary>Says in the log what is read of a model of two classes that gives one number a row.</summary>
    public static void LogChoice(DataViewSchema schema, ScoreSpec scores, IChannel channel)
    {
        if (Find(schema, scores) is not { } found)
            return;
        var (read, meaning) = found.Kind switch
        {
            ScoreKind.Probabilities => ("its", "probability"),
            ScoreKind.Logits => ("its", "log-odds"),
            _ => ("σ of its", "probability"),
        };
        channel.Info($"The teacher has two classes: {read} column '{found.Column.Name}' is taken for the {meaning} of 'true'.");
    }

    /// <summary>The probability that the same predictor gave, or a calibrator after it, which annotates its own with the kind of a score.</summary>
    private static DataViewSchema.Column? FindProbability(DataViewSchema.Column score, DataViewSchema schema)
    {
        if (ReadNumber(score, SetId) is not { } id)
            return null;
        foreach (var column in schema)
        {
            if (!column.IsHidden && column.Type == NumberDataViewType.Single && column.Index != score.Index && ReadNumber(column, SetId) == id
                && (ReadText(column, ValueKind) == Probability || column.Name == Probability))
            {
                return column;
            }
        }

        return null;
    }

    private static string? ReadText(DataViewSchema.Column column, string annotation)
    {
        if (column.Annotations.Schema.GetColumnOrNull(annotation)?.Type is not TextDataViewType)
            return null;
        ReadOnlyMemory<char> value = default;
        column.Annotations.GetValue(annotation, ref value);
        return value.ToString();
    }

    private static uint? ReadNumber(DataViewSchema.Column column, string annotation)
    {
        if (column.Annotations.Schema.GetColumnOrNull(annotation)?.Type.RawType != typeof(uint))
            return null;
        uint value = 0;
        column.Annotations.GetValue(annotation, ref value);
        return value;
    }
}
