using Microsoft.ML;
using Microsoft.ML.Data;

namespace CompareMethods.Training;

/// <summary>A model's probabilities on the test rows, and what can be read from them.</summary>
internal sealed class Answers(ITransformer model, IDataView rows)
{
    private readonly float[][] _scores = [.. model.Transform(rows).GetColumn<float[]>("Score")];

    /// <summary>Share of the rows labelled rightly; the classes are keys, which count from 1.</summary>
    public double Accuracy(IReadOnlyList<uint> classes) => _scores.Zip(classes).Average(row => Best(row.First) + 1 == row.Second ? 1.0 : 0.0);

    /// <summary>Share of the rows to which both give the same label, right or wrong.</summary>
    public double AgreementWith(Answers teacher) => _scores.Zip(teacher._scores).Average(row => Best(row.First) == Best(row.Second) ? 1.0 : 0.0);

    /// <summary>Mean of KL(teacher ‖ student) = Σ p·log(p/q) over the rows, in nats.</summary>
    public double DivergenceFrom(Answers teacher) => _scores.Zip(teacher._scores).Average(row => row.Second.Zip(row.First, Term).Sum());

    private static int Best(float[] scores) => Array.IndexOf(scores, scores.Max());

    // p·log(p/q) goes to 0 with p; a q that a float rounds to 0 costs much, but not everything.
    private static double Term(float p, float q) => p > 0 ? p * Math.Log(p / Math.Max(q, 1e-30)) : 0;
}
