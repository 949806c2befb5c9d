namespace MlNetDistill.Evaluation;

/// <summary>The classes of a row from the most to the least probable; of equal ones the first comes first.</summary>
internal sealed class ClassRanking(int classes)
{
    private readonly double[] _falling = new double[classes];
    private readonly int[] _order = new int[classes];
    private readonly int[] _place = new int[classes];
    private readonly double[] _ranks = new double[classes];
    private double _spread;

    /// <summary>The class named.</summary>
    public int First => _order[0];

    public void Read(ReadOnlySpan<double> keys)
    {
        for (var c = 0; c < keys.Length; c++)
            (_falling[c], _order[c]) = (-keys[c], c);
        _falling.AsSpan().Sort(_order.AsSpan());
        _spread = 0;
        for (int from = 0, to; from < _order.Length; from = to)
        {
            to = from + 1;
            while (to < _order.Length && _falling[to] == _falling[from])
                to++;
            Place(from, to);
        }
    }

    /// <summary>Spearman's correlation of the ranks in two rows; NaN where all classes of one are equal.</summary>
    public static double Correlation(ClassRanking a, ClassRanking b)
    {
        var sum = 0.0;
        for (var c = 0; c < a._ranks.Length; c++)
            sum += a._ranks[c] * b._ranks[c];
        return sum / Math.Sqrt(a._spread * b._spread);
    }

    /// <summary>Share of the first k classes of one row that are among the first k of the other.</summary>
    public static double Overlap(ClassRanking a, ClassRanking b, int k)
    {
        var both = 0;
        for (var i = 0; i < k; i++)
            both += b._place[a._order[i]] < k ? 1 : 0;
        return (double)both / k;
    }

    /// <summary>Gives equal classes their places by their number, and all of them their mean rank, counted from the mean of all ranks.</summary>
    private void Place(int from, int to)
    {
        // The sort leaves equal ones in any order.
        _order.AsSpan(from..to).Sort();
        var rank = ((from + to - 1) - (classes - 1)) / 2.0;
        for (var i = from; i < to; i++)
        {
            _place[_order[i]] = i;
            _ranks[_order[i]] = rank;
            _spread += rank * rank;
        }
    }
}
