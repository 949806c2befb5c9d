using Microsoft.ML;
using Microsoft.ML.Data;

namespace Quickstart.Report;

/// <summary>A model's predicted labels and probabilities for some rows.</summary>
internal sealed class Answers
{
    private readonly string[] _labels;
    private readonly float[][] _scores;

    public Answers(ITransformer model, IDataView rows)
    {
        var scored = model.Transform(rows);
        _labels = [.. scored.GetColumn<string>("PredictedLabel")];
        _scores = [.. scored.GetColumn<float[]>("Score")];
    }

    /// <summary>Whether labels and probabilities are equal bit for bit.</summary>
    public bool Equal(Answers other) =>
        _labels.SequenceEqual(other._labels) && _scores.Zip(other._scores).All(rows => rows.First.AsSpan().SequenceEqual(rows.Second));
}
