namespace MlNetDistill.Evaluation;

/// <summary>Counts the rows of a reliability diagram.</summary>
internal sealed class ConfidenceBins(int bins)
{
    private readonly long[] _rows = new long[bins];
    private readonly long[] _right = new long[bins];
    private readonly double[] _confidence = new double[bins];

    /// <summary>Mean confidence over all rows.</summary>
    public double MeanConfidence => _confidence.Sum() / _rows.Sum();

    /// <summary>The bin (i/n, (i+1)/n] that contains a confidence. Ends are computed as quotients: adding up steps would leave gaps by rounding.</summary>
    public int FindBin(double confidence)
    {
        var bin = Math.Clamp((int)Math.Ceiling(confidence * bins) - 1, 0, bins - 1);
        if (bin > 0 && confidence <= End(bin))
            return bin - 1;
        return bin < bins - 1 && confidence > End(bin + 1) ? bin + 1 : bin;
    }

    public void Add(int bin, double confidence, bool right)
    {
        _rows[bin]++;
        _right[bin] += right ? 1 : 0;
        _confidence[bin] += confidence;
    }

    public void Add(ConfidenceBins other)
    {
        for (var i = 0; i < bins; i++)
        {
            _rows[i] += other._rows[i];
            _right[i] += other._right[i];
            _confidence[i] += other._confidence[i];
        }
    }

    public IReadOnlyList<ReliabilityBin> ToReliability() =>
    [
        .. Enumerable.Range(0, bins).Select(i => new ReliabilityBin(
            End(i), End(i + 1), _rows[i], _rows[i] == 0 ? null : (double)_right[i] / _rows[i], _rows[i] == 0 ? null : _confidence[i] / _rows[i])),
    ];

    private double End(int i) => (double)i / bins;
}
