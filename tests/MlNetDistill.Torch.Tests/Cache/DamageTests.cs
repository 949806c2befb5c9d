using CsCheck;
using MlNetDistill.Cache;

namespace MlNetDistill.Tests.Cache;

/// <summary>A file with anything wrong in it is never used: it is refused, or built again to the byte it should be.</summary>
public sealed class DamageTests
{
    private readonly CacheRun _run = new();
    private readonly CacheFileKey _key = ToyCache.Key(1100, ToyCache.All, views: 2);
    private byte[] _good = [];

    // In the header, in the footer and anywhere.
    private Gen<int> Place => Gen.OneOf(Gen.Int[0, 15], Gen.Int[_good.Length - 48, _good.Length - 1], Gen.Int[0, _good.Length - 1]);

    [OneTimeSetUp]
    public void MakeCache() => _good = _run.Make(_key);

    [OneTimeTearDown]
    public void RemoveFolder() => _run.Dispose();

    [SetUp]
    public void ForgetWarnings() => _run.Warnings.Clear();

    [Test]
    public void A_flipped_bit_anywhere_is_found() => Gen.Select(Place, Gen.Int[0, 7]).Sample(
        (place, bit) =>
        {
            var bad = _good.ToArray();
            bad[place] ^= (byte)(1 << bit);
            return IsFound(bad);
        },
        iter: 200, threads: 1);

    [Test]
    public void A_file_cut_anywhere_is_found() => Place.Sample(length => IsFound(_good[..length]), iter: 200, threads: 1);

    [Test]
    public void A_file_emptied_or_lengthened_is_found()
    {
        Assert.That(IsFound([]), "empty");
        Assert.That(IsFound([.. _good, 0]), "one byte more");
        Assert.That(IsFound([.. _good, .. _good]), "twice");
        Assert.That(IsFound(new byte[_good.Length]), "zeros");
    }

    [Test]
    public void Two_bytes_swapped_anywhere_are_found() => Gen.Select(Place, Place).Where((a, b) => _good[a] != _good[b]).Sample(
        (a, b) =>
        {
            var bad = _good.ToArray();
            (bad[a], bad[b]) = (bad[b], bad[a]);
            return IsFound(bad);
        },
        iter: 200, threads: 1);

    [Test]
    public void Two_whole_blocks_swapped_are_found()
    {
        var file = new CacheFile(_good);
        for (var block = 1; block < file.Blocks.Count - 1; block++)
        {
            var (first, second) = (file.Blocks[0], file.Blocks[block]);
            var bad = _good.ToArray();
            _good.AsSpan(second.Start, second.Length).CopyTo(bad.AsSpan(first.Start));
            _good.AsSpan(first.Start, first.Length).CopyTo(bad.AsSpan(second.Start));
            Assert.That(IsFound(bad), $"blocks 0 and {block}");
        }
    }

    [Test]
    public void A_block_of_another_cache_is_found()
    {
        using var other = new CacheRun();
        var foreign = new CacheFile(other.Make(_key with { Teacher = "yot teacher" }));
        var (there, here) = (foreign.Blocks[1], new CacheFile(_good).Blocks[1]);
        var bad = _good.ToArray();
        foreign.Bytes.AsSpan(there.Start, there.Length).CopyTo(bad.AsSpan(here.Start));
        Assert.That(IsFound(bad));
    }

    [Test]
    public void A_whole_cache_of_another_teacher_under_this_name_is_found_and_named()
    {
        using var other = new CacheRun();
        Write(other.Make(_key with { Teacher = "yot teacher" }));
        Assert.That(() => _run.Open(_key, options: _run.With(CacheMode.UseOnly)), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The teacher cache {_run.File(_key)} cannot be used: it differs in teacher (cached: yot teacher; needed: toy teacher). "
            + "Set Mode to UseOrCreate to build it, or Folder to the folder that contains it."));
        Assert.That(_run.Make(_key), Is.EqualTo(_good));
    }

    [Test]
    public void The_damaged_block_is_named()
    {
        var bad = _good.ToArray();
        bad[new CacheFile(_good).Blocks[3].Start + 5]++;
        Write(bad);
        Assert.That(_run.Make(_key), Is.EqualTo(_good));
        Assert.That(_run.Warnings, Is.EqualTo(new[] { $"The teacher cache {_run.File(_key)} cannot be used: block 3 does not match its hash. The teacher is queried again." }));
    }

    /// <summary>The file is refused, and where it may be built again it is, with one warning.</summary>
    private bool IsFound(byte[] bad)
    {
        Write(bad);
        try
        {
            _run.Open(_key, options: _run.With(CacheMode.UseOnly)).Dispose();
            return false;
        }
        catch (InvalidOperationException)
        {
            _run.Warnings.Clear();
            return _run.Make(_key).AsSpan().SequenceEqual(_good) && _run.Warnings.Count == 1;
        }
    }

    private void Write(byte[] bytes) => File.WriteAllBytes(_run.File(_key), bytes);
}
