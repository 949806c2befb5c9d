namespace Examples;

/// <summary>Mean and standard deviation over the seeds; of one seed no deviation is known, which is NaN.</summary>
internal readonly record struct Spread(double Mean, double Deviation)
{
    public static Spread FromValues(IEnumerable<double> values)
    {
        double[] all = [.. values];
        var mean = all.Average();
        return new Spread(mean, Math.Sqrt(all.Sum(value => (value - mean) * (value - mean)) / (all.Length - 1)));
    }

    /// <summary>The deviation of two equally large groups, each about its own mean.</summary>
    public static double Pooled(Spread a, Spread b) => Math.Sqrt(((a.Deviation * a.Deviation) + (b.Deviation * b.Deviation)) / 2);

    public string ToString(string format) => ToString(format, format);

    public string ToString(string meanFormat, string deviationFormat) =>
        double.IsNaN(Deviation) ? Mean.ToString(meanFormat) : $"{Mean.ToString(meanFormat)} ± {Deviation.ToString(deviationFormat)}";
}
