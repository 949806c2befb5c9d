namespace MlNetDistill.Evaluation;

/// <summary>The classes of a row from the most to the least probable; equally probable classes by index.</summary>
internal sealed class ClassRanking(int classes)
{
    private readonly double[] _negatedKeys = new double[classes];
    private readonly int[] _order = new int[classes];
    private readonly int[] _place = new int[classes];
    private readonly double[] _ranks = new double[classes];
    private double _sumOfSquares;

    /// <summary>The most probable class.</summary>
    public int First => _order[0];

    public void Read(ReadOnlySpan<double> keys)
    {
        for (var c = 0; c < keys.Length; c++)
            (_negatedKeys[c], _order[c]) = (-keys[c], c);
        _negatedKeys.AsSpan().Sort(_order.AsSpan());
        _sumOfSquares = 0;
        for (int from = 0, to; from < _order.Length; from = to)
        {
            to = from + 1;
            while (to < _order.Length && _negatedKeys[to] == _negatedKeys[from])
                to++;
            Place(from, to);
        }
    }

    /// <summary>Spearman's correlation of the ranks of two rows; NaN if all classes of one are equally probable.</summary>
    public static double Correlation(ClassRanking a, ClassRanking b)
    {
        var sum = 0.0;
        for (var c = 0; c < a._ranks.Length; c++)
            sum += a._ranks[c] * b._ranks[c];
        return sum / Math.Sqrt(a._sumOfSquares * b._sumOfSquares);
    }

    /// <summary>Share of the first k classes of one row that are among the first k of the other.</summary>
    public static double Overlap(ClassRanking a, ClassRanking b, int k)
    {
        var both = 0;
        for (var i = 0; i < k; i++)
            both += b._place[a._order[i]] < k ? 1 : 0;
        return (double)both / k;
    }

    /// <summary>Orders equally probable classes by index, and gives all of them their mean rank, less the mean of all ranks.</summary>
    private void Place(int from, int to)
    {
        // The sort above is not stable.
        _order.AsSpan(from..to).Sort();
        var rank = ((from + to - 1) - (classes - 1)) / 2.0;
        for (var i = from; i < to; i++)
        {
            _place[_order[i]] = i;
            _ranks[_order[i]] = rank;
            _sumOfSquares += rank * rank;
        }
    }
}
