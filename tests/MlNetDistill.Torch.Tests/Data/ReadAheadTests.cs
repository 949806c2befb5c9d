using System.Collections;
using Microsoft.Win32.SafeHandles;
using MlNetDistill.Data;

namespace MlNetDistill.Tests;

/// <summary>Blocks of a file are read ahead one after the other, and not beyond the end of the file's use.</summary>
public sealed class ReadAheadTests
{
    private const int Width = 24;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);

    // What must not happen has this time to happen.
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("rows").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Each_block_is_read_in_the_background()
    {
        using var stream = OpenStream();
        using var file = Open(stream);
        using var blocks = new AwaitedBlocks([0, 3, 1]);
        blocks.Release();
        var before = stream.Uses;
        file.ReadAhead(blocks);
        Assert.That(blocks.WaitForEnd(Long));
        Assert.That(blocks.Given, Is.EqualTo(3));
        Assert.That(stream.Uses - before, Is.EqualTo(3), "the file is read once for each block");
    }

    [Test]
    public void Blocks_that_are_asked_for_later_are_read_later_even_if_an_earlier_reading_fails()
    {
        using var file = Open(OpenStream());
        // There is no block with a negative number, so that its reading fails.
        using var first = new AwaitedBlocks([0, -1000, 1]);
        using var second = new AwaitedBlocks([2]);
        second.Release();
        file.ReadAhead(first);
        file.ReadAhead(second);
        Assert.That(first.WaitForStart(Long));
        Assert.That(second.WaitForStart(Short), Is.False);
        first.Release();
        Assert.That(second.WaitForEnd(Long));
        Assert.That(first.Given, Is.EqualTo(2));
    }

    [Test]
    public void A_file_is_closed_after_the_reading_of_a_block_ends_and_no_further_block_is_read()
    {
        using var stream = OpenStream();
        using var file = Open(stream);
        using var blocks = new AwaitedBlocks([0, 1, 2]);
        file.ReadAhead(blocks);
        Assert.That(blocks.WaitForStart(Long));
        var before = stream.Uses;
        var disposing = new Thread(file.Dispose);
        disposing.Start();
        SpinWait.SpinUntil(() => disposing.ThreadState.HasFlag(ThreadState.WaitSleepJoin) || !disposing.IsAlive, Long);
        Assert.That(disposing.IsAlive, "it waits");
        Assert.That(stream.CanRead);
        blocks.Release();
        Assert.That(disposing.Join(Long));
        Assert.That((blocks.Given, stream.Uses - before), Is.EqualTo((1, 0)), "the block that was to be read next is not read");
        Assert.That(stream.CanRead, Is.False);
    }

    [Test]
    public void Nothing_is_read_ahead_of_a_file_that_was_disposed_of()
    {
        var file = Open(OpenStream());
        file.Dispose();
        using var blocks = new AwaitedBlocks([0]);
        file.ReadAhead(blocks);
        Assert.That(blocks.WaitForStart(Short), Is.False);
    }

    private CountingStream OpenStream()
    {
        var blocks = new RowBlocks(Rows: 10, Together: 4);
        using (var writer = RowFileWriter.Create(_folder, "data", 0, Width, blocks))
        {
            for (var row = 0; row < 40; row++)
                writer.NextRow().Clear();
            writer.Finish().Dispose();
        }

        return new CountingStream(Path.Combine(_folder, "data.rows"));
    }

    private static RowFile Open(FileStream stream) => new(stream, new RowFileLayout(0, Width, new RowBlocks(Rows: 10, Together: 4), 40), new ulong[4]);

    /// <summary>A file that counts how often it is used.</summary>
    private sealed class CountingStream(string path) : FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite)
    {
        private int _uses;

        public int Uses => Volatile.Read(ref _uses);

        public override SafeFileHandle SafeFileHandle
        {
            get
            {
                Interlocked.Increment(ref _uses);
                return base.SafeFileHandle;
            }
        }
    }

    /// <summary>Numbers of blocks that are given only after their release.</summary>
    private sealed class AwaitedBlocks(long[] blocks) : IReadOnlyList<long>, IDisposable
    {
        private readonly ManualResetEventSlim _started = new();
        private readonly ManualResetEventSlim _released = new();
        private readonly ManualResetEventSlim _ended = new();
        private int _given;

        public int Given => Volatile.Read(ref _given);

        public int Count => blocks.Length;

        public long this[int index] => blocks[index];

        public void Release() => _released.Set();

        public bool WaitForStart(TimeSpan most) => _started.Wait(most);

        public bool WaitForEnd(TimeSpan most) => _ended.Wait(most);

        public IEnumerator<long> GetEnumerator()
        {
            _started.Set();
            _released.Wait();
            try
            {
                foreach (var block in blocks)
                {
                    Interlocked.Increment(ref _given);
                    yield return block;
                }
            }
            finally
            {
                _ended.Set();
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public void Dispose()
        {
            _released.Set();
            _started.Dispose();
        }
    }
}
