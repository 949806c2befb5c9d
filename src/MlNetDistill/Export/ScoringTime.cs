using System.Diagnostics;
using Microsoft.ML;

namespace MlNetDistill.Export;

/// <summary>The time in which a model scores a row of a batch, in ML.NET on the CPU.</summary>
internal static class ScoringTime
{
    private const int Passes = 7;
    private static readonly TimeSpan Enough = TimeSpan.FromMilliseconds(300);

    /// <summary>The median time of a row over a few passes; fewer if a pass takes long.</summary>
    /// <param name="scored">The rows with the model's scores, which are computed in each pass.</param>
    /// <param name="column">The scores.</param>
    public static TimeSpan Measure(IDataView scored, string column)
    {
        // The first passes are slower: .NET recompiles what runs often.
        var (begin, rows) = (Stopwatch.GetTimestamp(), Read());
        if (Stopwatch.GetElapsedTime(begin) < Enough)
            Read();
        var times = new List<TimeSpan>();
        for (var start = Stopwatch.GetTimestamp(); times.Count < Passes && (times.Count == 0 || Stopwatch.GetElapsedTime(start) < Enough);)
        {
            var pass = Stopwatch.GetTimestamp();
            Read();
            times.Add(Stopwatch.GetElapsedTime(pass));
        }

        times.Sort();
        return times[times.Count / 2] / rows;

        long Read()
        {
            using var scores = RowsView.ReadScores(scored, column);
            return scores.shape[0];
        }
    }
}
