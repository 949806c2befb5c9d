using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Cache;

/// <summary>Logs the progress of a slow teacher: every ten seconds a line with the rows done and the time left.</summary>
internal sealed class QueryProgress(Action<string> info, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Passes the outputs on, counts them and logs the progress.</summary>
    /// <param name="outputs">Outputs from entry <paramref name="from"/> on.</param>
    /// <param name="from">Number of entries that exist already.</param>
    /// <param name="entries">Number of all entries.</param>
    public IEnumerable<OutputChunk> Report(IEnumerable<OutputChunk> outputs, long from, long entries)
    {
        var start = time.GetTimestamp();
        var (done, logged) = (from, TimeSpan.Zero);
        foreach (var chunk in outputs)
        {
            done += chunk.Ids.Count;
            DistillationInstruments.TeacherRows.Add(chunk.Ids.Count);
            var elapsed = time.GetElapsedTime(start);
            if (elapsed - logged >= Interval && done < entries)
            {
                logged = elapsed;
                var left = elapsed / (done - from) * (entries - done);
                info(Invariant($"The teacher has computed outputs for {done:N0} of {entries:N0} rows; about {(long)left.TotalHours:00}:{left:mm\\:ss} left."));
            }

            yield return chunk;
        }
    }
}
