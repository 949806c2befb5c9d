using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Cache;

/// <summary>Has answers that take long show themselves: a line every ten seconds with what is done and how long the rest may take.</summary>
internal sealed class QueryReport(Action<string> info, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>The same answers, counted as they come.</summary>
    /// <param name="answers">Answers from entry <paramref name="from"/> on.</param>
    /// <param name="from">Entries that were there before.</param>
    /// <param name="entries">Entries in all.</param>
    public IEnumerable<OutputChunk> Watch(IEnumerable<OutputChunk> answers, long from, long entries)
    {
        var began = time.GetTimestamp();
        var (done, told) = (from, TimeSpan.Zero);
        foreach (var chunk in answers)
        {
            done += chunk.Ids.Count;
            DistillationInstruments.TeacherRows.Add(chunk.Ids.Count);
            var elapsed = time.GetElapsedTime(began);
            if (elapsed - told >= Interval && done < entries)
            {
                told = elapsed;
                var left = elapsed / (done - from) * (entries - done);
                info(Invariant($"The teacher has answered {done:N0} of {entries:N0} rows; {(long)left.TotalHours:00}:{left:mm\\:ss} left."));
            }

            yield return chunk;
        }
    }
}
