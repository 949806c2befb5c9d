using MlNetDistill.Cache;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Records;

/// <summary>A teacher that takes long shows how far it is.</summary>
public sealed class SlowTeacherTests
{
    [Test]
    public void Every_ten_seconds_a_line_says_how_many_rows_are_answered_and_how_long_the_rest_may_take()
    {
        // 50 rows come every 4 seconds: lines are due at 12, 24 and, all but done, at 36.
        var lines = Ask(RecordToy.Key(500), new Clock(), secondsPerChunk: 4);
        Assert.That(lines, Is.EqualTo(new[]
        {
            "The teacher has answered 150 of 500 rows; 00:00:28 left.",
            "The teacher has answered 300 of 500 rows; 00:00:16 left.",
            "The teacher has answered 450 of 500 rows; 00:00:04 left.",
        }));
    }

    [Test]
    public void A_teacher_that_is_done_within_ten_seconds_says_nothing() =>
        Assert.That(Ask(RecordToy.Key(300), new Clock(), secondsPerChunk: 1.5), Is.Empty);

    [Test]
    public void Hours_are_written_as_hours() =>
        Assert.That(Ask(RecordToy.Key(100), new Clock(), 100_000)[0], Is.EqualTo("The teacher has answered 50 of 100 rows; 27:46:40 left."));

    [Test]
    public void Of_views_each_row_counts_once_for_each() => Assert.That(
        Ask(RecordToy.Key(100, views: 2), new Clock(), secondsPerChunk: 10)[0], Is.EqualTo("The teacher has answered 50 of 200 rows; 00:00:30 left."));

    [Test]
    public void Rows_that_an_earlier_run_left_do_not_make_the_rest_look_quicker()
    {
        var clock = new Clock();
        var lines = new List<string>();
        var answers = RecordToy.Answers(RecordToy.Key(300), RecordToy.Ids(300), 200);
        foreach (var _ in new QueryReport(lines.Add, clock).Watch(answers.Select(chunk => clock.Pass(chunk, 10)), 200, 300))
        {
        }

        Assert.That(lines, Is.EqualTo(new[] { "The teacher has answered 250 of 300 rows; 00:00:10 left." }));
    }

    private static List<string> Ask(CacheFileKey key, Clock clock, double secondsPerChunk)
    {
        var lines = new List<string>();
        var ids = RecordToy.Ids((int)key.Rows);
        var store = new CacheStore(new(), Path.GetTempPath(), lines.Add, _ => { }, CancellationToken.None, clock);
        store.Open(new(key, RowIds.From(ids), CPU, from => RecordToy.Answers(key, ids, from).Select(chunk => clock.Pass(chunk, secondsPerChunk)))).Dispose();
        return lines;
    }

    /// <summary>A clock on which time passes only when told.</summary>
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
