using System.Diagnostics;

namespace MlNetDistill.Evaluation;

/// <summary>Times repeated runs of some work.</summary>
internal static class Stopwatches
{
    /// <summary>The times of the runs, each divided by <paramref name="rows"/>.</summary>
    /// <param name="work">The work; its argument is the number of runs before.</param>
    /// <param name="warmUps">Runs before the first that is timed.</param>
    /// <param name="runs">Runs that are timed.</param>
    /// <param name="limit">Time limit for all runs; at most a quarter of it is warm-up. One run is always timed.</param>
    /// <param name="rows">Rows per run.</param>
    public static Latency Time(Action<int> work, int warmUps, int runs, TimeSpan limit, int rows = 1)
    {
        var began = Stopwatch.GetTimestamp();
        var done = 0;
        while (done < warmUps && Stopwatch.GetElapsedTime(began) < limit / 4)
            work(done++);
        // A list, because runs may be any large number where the time limit is what counts.
        var times = new List<double>();
        do
        {
            var start = Stopwatch.GetTimestamp();
            work(done++);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / rows);
        }
        while (times.Count < runs && Stopwatch.GetElapsedTime(began) < limit);

        return Summarize([.. times]);
    }

    /// <summary>Median and 95th percentile.</summary>
    public static Latency Summarize(double[] times)
    {
        Array.Sort(times);
        var (lower, upper) = (times[(times.Length - 1) / 2], times[times.Length / 2]);
        return new Latency((lower + upper) / 2, times[(int)Math.Ceiling(0.95 * times.Length) - 1], times.Length);
    }
}
