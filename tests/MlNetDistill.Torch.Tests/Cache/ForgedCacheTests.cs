using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MlNetDistill.Cache;

namespace MlNetDistill.Tests.Cache;

/// <summary>Caches whose hashes are right, and which this library did not write.</summary>
public sealed class ForgedCacheTests
{
    private CacheRun _run = null!;

    [SetUp]
    public void MakeFolder() => _run = new CacheRun();

    [TearDown]
    public void RemoveFolder() => _run.Dispose();

    [TestCase("toy data", "toy\\ud800data", "its header is not JSON")]
    [TestCase("\"data\"", "\"\\ud800\"", "its header is not JSON")]
    [TestCase("\"format\": 1", "\"format\": 2", "it has format 2; this version of the library reads format 1")]
    [TestCase("\"format\": 1", "\"format\": [1]", "it has format [1]; this version of the library reads format 1")]
    public void A_header_with_another_text_is_refused(string old, string changed, string fault)
    {
        var key = ToyCache.Key();
        File.WriteAllBytes(_run.File(key), WithHeader(_run.Make(key), text => text.Replace(old, changed, StringComparison.Ordinal)));
        Assert.That(() => _run.Open(key, options: _run.With(CacheMode.UseOnly)), Throws.InvalidOperationException.With.Message.StartsWith(
            $"The teacher cache {_run.File(key)} cannot be used: {fault}."));
        _run.Open(key).Dispose();
        Assert.That(_run.Warnings, Has.Exactly(1).Contains(fault).And.Exactly(1).Contains("The teacher is queried again."));
    }

    [Test]
    public void A_file_in_the_folder_whose_header_is_not_Unicode_does_not_end_a_fit()
    {
        var (key, other) = (ToyCache.Key(), ToyCache.Key(rows: 20));
        File.WriteAllBytes(_run.File(other), WithHeader(_run.Make(other), text => text.Replace("toy teacher", "\\ud800", StringComparison.Ordinal)));
        Assert.That(() => _run.Open(key).Dispose(), Throws.Nothing);
    }

    [TestCase(7, 7)]
    [TestCase(70_000, 65_536 + 5_000)]
    public void Logits_of_classes_that_do_not_exist_are_refused(int classes, int named)
    {
        var key = ToyCache.Key(rows: 3, topK: 2) with { Shapes = new(classes, 5, [[2, 3, 3], [4]]) };
        Open(key).Dispose();
        var bytes = File.ReadAllBytes(_run.File(key));
        var file = new CacheFile(bytes);
        var first = bytes.AsSpan(file.Blocks[0].Start + (3 * 16));
        if (classes <= 1 << 16)
            BinaryPrimitives.WriteUInt16LittleEndian(first, (ushort)named);
        else
            BinaryPrimitives.WriteInt32LittleEndian(first, named);
        file.BlockHash(0).CopyTo(bytes, file.FooterStart - 32);
        file.FooterHash.CopyTo(bytes, bytes.Length - 32);
        File.WriteAllBytes(_run.File(key), bytes);
        Assert.That(() => Open(key, CacheMode.UseOnly), Throws.InvalidOperationException.With.Message.Contains("block 0 has logits of classes that do not exist"));

        CachedOutputs Open(CacheFileKey key, CacheMode mode = CacheMode.UseOrCreate) => _run.Open(
            key, options: _run.With(mode), outputs: _ => [new OutputChunk(ToyCache.Ids(3), [TorchSharp.torch.arange(3 * classes, TorchSharp.torch.float32).reshape(3, classes)])]);
    }

    [Test]
    public void A_header_that_is_said_to_be_longer_than_the_file_takes_no_memory()
    {
        var file = Path.Combine(_run.Folder, "long.teacher");
        var bytes = new byte[100];
        CacheHeader.Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(CacheHeader.MagicBytes), 1 << 20);
        File.WriteAllBytes(file, bytes);
        using var stream = File.OpenRead(file);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => CacheHeader.Read(stream), Throws.TypeOf<CacheFormatException>().With.Message.EqualTo("it ends within its header"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 19));
    }

    private static byte[] WithHeader(byte[] bytes, Func<string, string> change)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(CacheHeader.MagicBytes));
        var text = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(bytes, CacheHeader.PrefixBytes, length)));
        byte[] header = [.. bytes[..CacheHeader.MagicBytes], .. BitConverter.GetBytes(text.Length), .. text];
        return [.. header, .. SHA256.HashData(header), .. bytes[(CacheHeader.PrefixBytes + length + 32)..]];
    }
}
