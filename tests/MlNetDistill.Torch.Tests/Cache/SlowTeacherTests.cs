using MlNetDistill.Cache;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>A teacher that takes long shows how far it is.</summary>
public sealed class SlowTeacherTests
{
    [Test]
    public void Every_ten_seconds_a_line_reports_the_rows_done_and_the_time_left()
    {
        // 50 rows come every 4 seconds: lines are due at 12, 24 and, all but done, at 36.
        var lines = Query(ToyCache.Key(500), new Clock(), secondsPerChunk: 4);
        Assert.That(lines, Is.EqualTo(new[]
        {
            "The teacher has computed outputs for 150 of 500 rows; about 00:00:28 left.",
            "The teacher has computed outputs for 300 of 500 rows; about 00:00:16 left.",
            "The teacher has computed outputs for 450 of 500 rows; about 00:00:04 left.",
        }));
    }

    [Test]
    public void A_teacher_that_is_done_within_ten_seconds_logs_nothing() =>
        Assert.That(Query(ToyCache.Key(300), new Clock(), secondsPerChunk: 1.5), Is.Empty);

    [Test]
    public void Hours_are_written_as_hours() =>
        Assert.That(Query(ToyCache.Key(100), new Clock(), 100_000)[0], Is.EqualTo("The teacher has computed outputs for 50 of 100 rows; about 27:46:40 left."));

    [Test]
    public void With_views_each_row_counts_once_per_view() => Assert.That(
        Query(ToyCache.Key(100, views: 2), new Clock(), secondsPerChunk: 10)[0], Is.EqualTo("The teacher has computed outputs for 50 of 200 rows; about 00:00:30 left."));

    [Test]
    public void Rows_of_an_earlier_run_do_not_distort_the_time_left()
    {
        var clock = new Clock();
        var lines = new List<string>();
        var cached = ToyCache.Outputs(ToyCache.Key(300), ToyCache.Ids(300), 200);
        foreach (var _ in new QueryProgress(lines.Add, clock).Report(cached.Select(chunk => clock.Pass(chunk, 10)), 200, 300))
        {
        }

        Assert.That(lines, Is.EqualTo(new[] { "The teacher has computed outputs for 250 of 300 rows; about 00:00:10 left." }));
    }

    private static List<string> Query(CacheFileKey key, Clock clock, double secondsPerChunk)
    {
        var lines = new List<string>();
        var ids = ToyCache.Ids((int)key.Rows);
        var store = new CacheStore(new(), Path.GetTempPath(), lines.Add, _ => { }, CancellationToken.None, clock);
        store.Open(new(key, RowIds.From(ids), CPU, from => ToyCache.Outputs(key, ids, from).Select(chunk => clock.Pass(chunk, secondsPerChunk)))).Dispose();
        return lines;
    }

    /// <summary>A clock that a test moves.</summary>
    private sealed class Clock : TimeProvider
    {
        private TimeSpan _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public OutputChunk Pass(OutputChunk chunk, double seconds)
        {
            _now += TimeSpan.FromSeconds(seconds);
            return chunk;
        }
    }
}
