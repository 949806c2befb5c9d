using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>
/// ω of rows with what it is correlated with: of all rows, or of many rows a random sample, in which each row is equally likely to be (Vitter 1985, algorithm R). The
/// sample depends only on the number of rows and their order.
/// </summary>
/// <param name="most">The most rows that are kept, 24 bytes each.</param>
internal sealed class RescaledSample(int most)
{
    private readonly Random _random = new(new Seeds(1).DeriveInteger("rescaled rows"));
    private readonly List<(double Rescaling, double Confidence, double LabelProbability)> _rows = [];

    /// <summary>Number of rows that were added.</summary>
    public long Count { get; private set; }

    public IReadOnlyList<double> Rescaling => [.. _rows.Select(row => row.Rescaling)];

    public IReadOnlyList<double> Confidence => [.. _rows.Select(row => row.Confidence)];

    public IReadOnlyList<double> LabelProbability => [.. _rows.Select(row => row.LabelProbability)];

    public void Add(double rescaling, double confidence, double labelProbability)
    {
        Count++;
        if (_rows.Count < most)
            _rows.Add((rescaling, confidence, labelProbability));
        else if (_random.NextInt64(Count) is var place && place < most)
            _rows[(int)place] = (rescaling, confidence, labelProbability);
    }
}
