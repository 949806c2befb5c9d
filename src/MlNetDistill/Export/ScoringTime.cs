using System.Diagnostics;
using Microsoft.ML;

namespace MlNetDistill.Export;

/// <summary>The time in which a model scores a row of a batch, in ML.NET on the CPU.</summary>
internal static class ScoringTime
{
    private const int Passes = 7;
    private static readonly TimeSpan Enough = TimeSpan.FromMilliseconds(300);

    /// <summary>The time of a row in the fastest of a few passes, fewer if a pass takes long: what else the machine does only makes passes slower.</summary>
    /// <param name="scored">The rows with the model's scores, which are computed in each pass.</param>
    /// <param name="column">The scores.</param>
    public static TimeSpan Measure(IDataView scored, string column)
    {
        // The first passes are slower: .NET recompiles what runs often.
        var (begin, rows) = (Stopwatch.GetTimestamp(), Read());
        if (Stopwatch.GetElapsedTime(begin) < Enough)
            Read();
        var (start, fastest) = (Stopwatch.GetTimestamp(), TimeSpan.MaxValue);
        for (var pass = 0; pass < Passes && (pass == 0 || Stopwatch.GetElapsedTime(start) < Enough); pass++)
        {
            var passBegin = Stopwatch.GetTimestamp();
            Read();
            fastest = Stopwatch.GetElapsedTime(passBegin) is var time && time < fastest ? time : fastest;
        }

        return fastest / rows;

        long Read()
        {
            using var scores = RowsView.ReadScores(scored, column);
            return scores.shape[0];
        }
    }
}
