using CsCheck;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>A cache is completed by the next run whenever the previous one was killed, to the same bytes.</summary>
[Category("NoCulture")]
public sealed class KillTests
{
    private const int Rows = 8000;
    private static readonly CacheFileKey Key = ToyCache.Key(Rows, ToyCache.All);
    private byte[] _uninterrupted = [];

    [OneTimeSetUp]
    public void MakeUninterrupted()
    {
        using var run = new CacheRun();
        _uninterrupted = run.Make(Key);
    }

    /// <summary>Files that are killed at five moments of their building each, by SIGKILL, and then finished.</summary>
    [Test]
    public void A_cache_whose_process_is_killed_at_20_moments_is_completed_to_the_same_bytes()
    {
        var random = new Random(1);
        var (kept, killed) = (0, 0);
        while (killed < 20)
        {
            using var run = new CacheRun();
            for (var kill = 0; kill < 5 && !File.Exists(run.File(Key)); kill++)
            {
                using var builder = new CacheBuilderProcess(run.Folder, Rows, 5);
                // The first at any moment from the start of the process, the others while it writes.
                if (kill > 0)
                    builder.WaitForLine("query");
                Thread.Sleep(random.Next(kill == 0 ? 700 : 250));
                builder.Kill();
                killed += builder.Lines.Any(l => l.StartsWith("sum", StringComparison.Ordinal)) ? 0 : 1;
            }

            var blocks = WholeBlocks(run.Partial(Key));
            run.Open(Key).Dispose();

            // All blocks that had been written are kept, and the teacher is queried for the rest only.
            Assert.That(run.QueriedFrom, Is.EqualTo(blocks is { } whole ? new[] { whole * 256L } : []));
            Assert.That(File.ReadAllBytes(run.File(Key)), Is.EqualTo(_uninterrupted));
            Assert.That(Directory.GetFiles(run.Folder), Is.EqualTo(new[] { run.File(Key) }));
            kept += blocks ?? 0;
        }

        Assert.That(kept, Is.GreaterThan(4), "the kills came after blocks had been written");
    }

    [Test]
    public void A_partial_file_cut_or_damaged_anywhere_is_completed_to_the_same_bytes()
    {
        using var run = new CacheRun();
        var key = ToyCache.Key(1500);
        var uninterrupted = run.Make(key);
        var file = new CacheFile(uninterrupted);
        var place = Gen.Int[0, uninterrupted.Length];
        Gen.Select(place, place).Sample(
            (length, damaged) =>
            {
                File.Delete(run.File(key));
                var partial = uninterrupted[..length];
                if (damaged < length)
                    partial[damaged]++;
                File.WriteAllBytes(run.Partial(key), partial);
                run.QueriedFrom.Clear();

                var whole = Math.Min(length, damaged);
                var blocks = whole < file.HeaderBytes ? 0 : file.Blocks.TakeWhile(b => b.Start + b.Length <= whole).Count();
                return run.Make(key).AsSpan().SequenceEqual(uninterrupted)
                    && run.QueriedFrom.SequenceEqual(blocks == file.Blocks.Count ? [] : [blocks * 256L])
                    && !File.Exists(run.Partial(key));
            },
            iter: 100, threads: 1);
    }

    [Test]
    public void A_cancelled_run_keeps_the_blocks_it_wrote()
    {
        using var run = new CacheRun();
        using var source = new CancellationTokenSource();
        Assert.That(() => run.Open(Key, outputs: CancelAfter, cancellation: source.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(run.Make(Key), Is.EqualTo(_uninterrupted));
        Assert.That(run.QueriedFrom, Is.EqualTo(new long[] { 0, 768 }));
        Assert.That(run.Infos, Has.Some.EqualTo($"The teacher cache {run.File(Key)} is continued after 768 of {Rows} rows."));

        IEnumerable<OutputChunk> CancelAfter(long from)
        {
            var chunks = 0;
            foreach (var chunk in ToyCache.Outputs(Key, ToyCache.Ids(Rows), from))
            {
                if (++chunks == 20)
                    source.Cancel();
                yield return chunk;
            }
        }
    }

    [Test]
    public void A_teacher_that_fails_halfway_is_queried_for_the_rest_only()
    {
        using var run = new CacheRun();
        Assert.That(
            () => run.Open(Key, outputs: from => ToyCache.Outputs(Key, ToyCache.Ids(Rows), from).Take(20).Append(null!)),
            Throws.InstanceOf<NullReferenceException>());
        Assert.That(run.Make(Key), Is.EqualTo(_uninterrupted));
        Assert.That(run.QueriedFrom, Is.EqualTo(new long[] { 0, 768 }));
    }

    [Test]
    public void Two_processes_that_need_one_cache_query_the_teacher_once()
    {
        using var run = new CacheRun();
        using var first = new CacheBuilderProcess(run.Folder, Rows, 5);
        using var second = new CacheBuilderProcess(run.Folder, Rows, 5);
        first.WaitForSuccess();
        second.WaitForSuccess();
        string[] lines = [.. first.Lines, .. second.Lines];
        Assert.That(lines.Where(l => l.StartsWith("query", StringComparison.Ordinal)), Is.EqualTo(new[] { "query 0" }));
        Assert.That(lines.Where(l => l.StartsWith("sum", StringComparison.Ordinal)).Distinct(), Has.Exactly(1).Items);
        Assert.That(File.ReadAllBytes(run.File(Key)), Is.EqualTo(_uninterrupted));
    }

    [Test]
    public void A_run_that_waits_for_another_process_takes_over_when_that_is_killed()
    {
        using var run = new CacheRun();
        using var builder = new CacheBuilderProcess(run.Folder, Rows, 20);
        builder.WaitForLine("query");
        var waiting = Task.Run(() => run.Open(Key));
        SpinWait.SpinUntil(() => run.Infos.Count > 0, TimeSpan.FromSeconds(30));
        Thread.Sleep(600);
        builder.Kill();
        using var cached = waiting.GetAwaiter().GetResult();
        Assert.That(run.Infos[0], Is.EqualTo($"Waiting for another process that is building the teacher cache {run.File(Key)}."));
        Assert.That(run.QueriedFrom, Has.Count.EqualTo(1));
        Assert.That(run.QueriedFrom[0], Is.GreaterThan(0));
        Assert.That(File.ReadAllBytes(run.File(Key)), Is.EqualTo(_uninterrupted));
    }

    [Test]
    public void Waiting_for_another_process_can_be_cancelled()
    {
        using var run = new CacheRun();
        using var held = new FileStream(run.Partial(Key), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        using var source = new CancellationTokenSource(300);
        Assert.That(() => run.Open(Key, cancellation: source.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(run.QueriedFrom, Is.Empty);
    }

    [Test]
    public void Many_threads_of_one_process_query_the_teacher_once()
    {
        using var run = new CacheRun();
        var key = ToyCache.Key();
        var queries = 0;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            var store = new CacheStore(new TeacherCacheOptions { Folder = run.Folder }, run.Folder, _ => { }, _ => { }, CancellationToken.None);
            using var cached = store.Open(new(key, RowIds.From(ToyCache.Ids(600)), CPU, from =>
            {
                Interlocked.Increment(ref queries);
                Thread.Sleep(20);
                return ToyCache.Outputs(key, ToyCache.Ids(600), from);
            }));
            using var positions = arange(600);
            using var logits = cached.Read(positions, ModelOutputs.Logits).Logits;
            Assert.That(logits.shape[0], Is.EqualTo(600));
        });
        Assert.That(queries, Is.EqualTo(1));
        Assert.That(Directory.GetFiles(run.Folder), Has.Length.EqualTo(1));
    }

    // Blocks behind the header; null where there is no partial file, as the kill came before it or after the last step.
    private int? WholeBlocks(string partial)
    {
        if (!File.Exists(partial))
            return File.Exists(partial[..^".partial".Length]) ? null : 0;
        var length = new FileInfo(partial).Length;
        var whole = new CacheFile(_uninterrupted).Blocks.Count(b => b.Start + b.Length <= length);
        return whole * 256 >= Rows ? null : whole;
    }
}
