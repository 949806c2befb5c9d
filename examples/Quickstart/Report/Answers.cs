using Microsoft.ML;
using Microsoft.ML.Data;

namespace Quickstart.Report;

/// <summary>What a model says about the test rows, and what can be read from it.</summary>
internal sealed class Answers
{
    private readonly string[] _truth;
    private readonly string[] _labels;
    private readonly float[][] _scores;

    public Answers(ITransformer model, IDataView rows)
    {
        var scored = model.Transform(rows);
        _truth = [.. scored.GetColumn<string>("Label")];
        _labels = [.. scored.GetColumn<string>("PredictedLabel")];
        _scores = [.. scored.GetColumn<float[]>("Score")];
    }

    /// <summary>Share of the rows labelled rightly.</summary>
    public double Accuracy => Share(_labels, _truth);

    /// <summary>Share of the rows to which both give the same label, right or wrong.</summary>
    public double AgreementWith(Answers teacher) => Share(_labels, teacher._labels);

    /// <summary>Mean of KL(teacher ‖ student) = Σ p·log(p/q) over the rows, in nats: how far the probabilities are from the teacher's.</summary>
    public double DivergenceFrom(Answers teacher) => _scores.Zip(teacher._scores, (student, t) => t.Zip(student, Term).Sum()).Average();

    /// <summary>Whether labels and probabilities are the same to the last bit.</summary>
    public bool Equal(Answers other) =>
        _labels.SequenceEqual(other._labels) && _scores.Zip(other._scores).All(rows => rows.First.AsSpan().SequenceEqual(rows.Second));

    private static double Share(string[] some, string[] others) => some.Zip(others).Average(pair => pair.First == pair.Second ? 1.0 : 0.0);

    // p·log(p/q) goes to 0 with p; q is at least what a float softmax can tell from 0.
    private static double Term(float p, float q) => p > 0 ? p * Math.Log(p / Math.Max(q, 1e-7)) : 0;
}
