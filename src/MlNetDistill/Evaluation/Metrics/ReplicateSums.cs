using System.Numerics.Tensors;

namespace MlNetDistill.Evaluation;

/// <summary>
/// Sums of each <see cref="Statistic"/>, and of confidence minus correctness in each bin: a column for the rows themselves and one for each replicate.
/// </summary>
internal sealed class ReplicateSums
{
    private readonly double[][] _statistics;
    private readonly double[][] _teacherGaps;
    private readonly double[][] _studentGaps;

    public ReplicateSums(int statistics, int bins, int replicates)
    {
        _statistics = Table(statistics, 1 + replicates);
        _teacherGaps = Table(bins, 1 + replicates);
        _studentGaps = Table(bins, 1 + replicates);
    }

    private ReplicateSums(ReplicateSums other) =>
        (_statistics, _teacherGaps, _studentGaps) = (Copy(other._statistics), Copy(other._teacherGaps), Copy(other._studentGaps));

    /// <summary>1 + the number of replicates.</summary>
    public int Columns => _statistics[0].Length;

    /// <summary>Bins of a reliability diagram.</summary>
    public int Bins => _studentGaps.Length;

    public double this[Statistic statistic, int column] => _statistics[(int)statistic][column];

    public double TopKOverlap(int which, int column) => _statistics[(int)Statistic.TopKOverlap + which][column];

    public double TeacherGap(int column) => Gap(_teacherGaps, column);

    public double StudentGap(int column) => Gap(_studentGaps, column);

    /// <summary>Adds the statistics of a row, multiplied by its weight in each column.</summary>
    public void Add(ReadOnlySpan<double> row, ReadOnlySpan<double> weights)
    {
        for (var s = 0; s < row.Length; s++)
            Add(_statistics[s], row[s], weights);
    }

    /// <summary>Adds confidence minus correctness of each model for a row.</summary>
    public void AddGaps((int Bin, double Gap) teacher, (int Bin, double Gap) student, ReadOnlySpan<double> weights)
    {
        Add(_teacherGaps[teacher.Bin], teacher.Gap, weights);
        Add(_studentGaps[student.Bin], student.Gap, weights);
    }

    public void Add(ReplicateSums other)
    {
        Add(_statistics, other._statistics);
        Add(_teacherGaps, other._teacherGaps);
        Add(_studentGaps, other._studentGaps);
    }

    public ReplicateSums Copy() => new(this);

    private static void Add(double[] sums, double value, ReadOnlySpan<double> weights)
    {
        if (value == 1)
            TensorPrimitives.Add(weights, sums, sums);
        else if (value != 0)
            TensorPrimitives.MultiplyAdd(weights, value, sums, sums);
    }

    private static void Add(double[][] sums, double[][] others)
    {
        foreach (var (sum, other) in sums.Zip(others))
            TensorPrimitives.Add<double>(sum, other, sum);
    }

    private static double Gap(double[][] gaps, int column) => gaps.Sum(bin => Math.Abs(bin[column]));

    private static double[][] Table(int rows, int columns) => [.. Enumerable.Range(0, rows).Select(_ => new double[columns])];

    private static double[][] Copy(double[][] table) => [.. table.Select(row => (double[])row.Clone())];
}
