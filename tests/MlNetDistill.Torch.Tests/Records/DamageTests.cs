using MlNetDistill.Records;

namespace MlNetDistill.Tests.Records;

/// <summary>A file with anything wrong in it is never used: it is refused, or built again to the byte it should be.</summary>
public sealed class DamageTests
{
    private readonly RecordRun _run = new();
    private readonly RecordKey _key = RecordToy.Key(1100, RecordToy.All, views: 2);
    private byte[] _good = [];

    [OneTimeSetUp]
    public void MakeRecord() => _good = _run.Make(_key);

    [OneTimeTearDown]
    public void RemoveFolder() => _run.Dispose();

    [SetUp]
    public void ForgetWarnings() => _run.Warnings.Clear();

    [Test]
    public void A_flipped_bit_anywhere_is_found()
    {
        var random = new Random(1);
        // Everywhere in the ends and at random places between.
        var places = Enumerable.Range(0, 200).Select(_ => random.Next(_good.Length)).Concat([0, 7, 8, 11, 12, _good.Length - 48, _good.Length - 40, _good.Length - 1]);
        foreach (var place in places)
        {
            var bad = _good.ToArray();
            bad[place] ^= (byte)(1 << random.Next(8));
            AssertFound(bad, $"a bit of byte {place}", rebuilt: place % 10 == 0);
        }
    }

    [Test]
    public void A_file_cut_or_lengthened_anywhere_is_found()
    {
        var random = new Random(2);
        for (var i = 0; i < 200; i++)
        {
            var length = random.Next(_good.Length);
            AssertFound(_good[..length], $"cut at {length}", rebuilt: i % 10 == 0);
        }

        AssertFound([], "empty");
        AssertFound(_good[..^1], "one byte short");
        AssertFound([.. _good, 0], "one byte more");
        AssertFound([.. _good, .. _good], "twice");
        AssertFound(new byte[_good.Length], "zeros");
    }

    [Test]
    public void Two_bytes_swapped_anywhere_are_found()
    {
        var random = new Random(3);
        for (var i = 0; i < 200; i++)
        {
            var (a, b) = (random.Next(_good.Length), random.Next(_good.Length));
            if (_good[a] == _good[b])
                continue;
            var bad = _good.ToArray();
            (bad[a], bad[b]) = (bad[b], bad[a]);
            AssertFound(bad, $"bytes {a} and {b}", rebuilt: i % 10 == 0);
        }
    }

    [Test]
    public void Two_whole_blocks_swapped_are_found()
    {
        var file = new RecordFile(_good);
        for (var block = 1; block < file.Blocks.Count - 1; block++)
        {
            var (first, second) = (file.Blocks[0], file.Blocks[block]);
            var bad = _good.ToArray();
            _good.AsSpan(second.Start, second.Length).CopyTo(bad.AsSpan(first.Start));
            _good.AsSpan(first.Start, first.Length).CopyTo(bad.AsSpan(second.Start));
            AssertFound(bad, $"blocks 0 and {block}");
        }
    }

    [Test]
    public void A_block_of_another_record_is_found()
    {
        using var other = new RecordRun();
        var foreign = new RecordFile(other.Make(_key with { Teacher = "yot teacher" }));
        var (there, here) = (foreign.Blocks[1], new RecordFile(_good).Blocks[1]);
        var bad = _good.ToArray();
        foreign.Bytes.AsSpan(there.Start, there.Length).CopyTo(bad.AsSpan(here.Start));
        AssertFound(bad, "a block of another teacher");
    }

    [Test]
    public void A_whole_record_of_another_teacher_under_this_name_is_found_and_named()
    {
        using var other = new RecordRun();
        Write(other.Make(_key with { Teacher = "yot teacher" }));
        Assert.That(() => _run.Open(_key, options: _run.With(RecordReuse.ReuseOnly)), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The teacher record {_run.File(_key)} cannot be used: it is another record: it differs in teacher (there yot teacher, here toy teacher). "
            + "Set Reuse to ReuseOrBuild to have it built, or Folder to where it is."));
        Assert.That(_run.Make(_key), Is.EqualTo(_good));
    }

    [Test]
    public void The_damaged_block_is_named()
    {
        var bad = _good.ToArray();
        bad[new RecordFile(_good).Blocks[3].Start + 5]++;
        Write(bad);
        Assert.That(_run.Make(_key), Is.EqualTo(_good));
        Assert.That(_run.Warnings, Is.EqualTo(new[] { $"The teacher record {_run.File(_key)} cannot be used: block 3 does not match its hash. The teacher is asked again." }));
    }

    private void AssertFound(byte[] bad, string what, bool rebuilt = true)
    {
        Write(bad);
        Assert.That(() => _run.Open(_key, options: _run.With(RecordReuse.ReuseOnly)), Throws.InvalidOperationException, what);
        if (!rebuilt)
            return;
        _run.Warnings.Clear();
        Assert.That(_run.Make(_key), Is.EqualTo(_good), what);
        Assert.That(_run.Warnings, Has.Count.EqualTo(1), what);
    }

    private void Write(byte[] bytes) => File.WriteAllBytes(_run.File(_key), bytes);
}
