using System.Buffers.Binary;
using System.Security.Cryptography;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Tests.Cache;
using static TorchSharp.torch;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>A complete teacher cache in a folder, which must be used as it is or refused.</summary>
internal class TeacherCacheReader(string name, CacheFileKey key) : Reader
{
    private readonly CacheLayout _layout = new(key);

    public override string Name => name;

    protected CacheFileKey Key => key;

    protected RowId[] Ids { get; } = ToyCache.Ids((int)key.Rows);

    protected virtual string FilePath => Folder.File(key.FileName);

    public override void Place(byte[] input) => File.WriteAllBytes(FilePath, input);

    public override void Read(byte[] input) => Use(new FolderCache(Options(CacheMode.UseOnly), Folder.Path, _ => { }, _ => { }, default));

    public override bool IsExpected(Exception error) => Is<InvalidOperationException>(error, $"The teacher cache {FilePath} cannot be used: ");

    public override long Bound(int length) => (256 << 10) + (16L * length);

    public override byte[] Change(byte[] bytes, Random random)
    {
        if (random.Next(2) == 0 || TextOf(bytes) is not { } text)
            return ByteChanges.Apply(bytes, Seeds, random);
        var changed = JsonChanges.Change(text, random);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, changed.Length);
        return [.. bytes[..CacheHeader.MagicBytes], .. length, .. changed, .. bytes[(CacheHeader.PrefixBytes + text.Length)..]];
    }

    public override byte[] Repair(byte[] bytes)
    {
        if (TextOf(bytes) is not { } text)
            return bytes;
        bytes = [.. bytes];
        var end = CacheHeader.PrefixBytes + text.Length;
        var headerHash = bytes.AsSpan(end, CacheLayout.HashBytes);
        SHA256.HashData(bytes.AsSpan(0, end), headerHash);
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        all.AppendData(headerHash);
        var start = end + CacheLayout.HashBytes;
        for (var block = 0L; block < _layout.Blocks; start += _layout.BlockBytes(block), block++)
        {
            if (start + _layout.BlockBytes(block) > bytes.Length)
                return bytes;
            var content = bytes.AsSpan(start, _layout.ContentBytes(block));
            var hash = bytes.AsSpan(start + content.Length, CacheLayout.HashBytes);
            SHA256.HashData([.. headerHash, .. BitConverter.GetBytes(block), .. content], hash);
            all.AppendData(hash);
        }

        if (start + CacheLayout.FooterBytes == bytes.Length)
            all.GetHashAndReset().CopyTo(bytes, bytes.Length - CacheLayout.HashBytes);
        return bytes;
    }

    protected void Use(FolderCache folder)
    {
        using var scope = NewDisposeScope();
        var request = new CacheRequest(key, RowIds.From(Ids), CPU, from => ToyCache.Outputs(key, Ids, from));
        using var outputs = folder.Open(request);
        using var positions = arange(key.Rows, int64);
        for (var view = Math.Min(1, key.AugmentedViews); view <= key.AugmentedViews; view++)
        {
            foreach (var tensor in outputs.Read(positions, key.Kept, view).All)
                tensor.Dispose();
        }
    }

    // Half of them do not fit into memory and are read from the file.
    protected TeacherCacheOptions Options(CacheMode mode) => new() { Folder = Folder.Path, Mode = mode, MemoryLimit = key.Rows % 100 == 0 ? 0 : 1 << 20 };

    protected override IReadOnlyList<byte[]> CreateSeeds()
    {
        using var folder = new ToyFolder();
        using (var file = new FileStream(folder.File("seed"), FileMode.CreateNew, FileAccess.ReadWrite))
        {
            using var writer = new CacheWriter(file, _layout);
            writer.Write(writer.Resume(default), from => ToyCache.Outputs(key, Ids, from), default);
        }

        return [File.ReadAllBytes(folder.File("seed"))];
    }

    private static byte[]? TextOf(byte[] bytes)
    {
        if (bytes.Length < CacheHeader.PrefixBytes)
            return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(CacheHeader.MagicBytes));
        return length > 0 && length <= bytes.Length - CacheHeader.PrefixBytes - CacheLayout.HashBytes ? bytes[CacheHeader.PrefixBytes..(CacheHeader.PrefixBytes + length)] : null;
    }
}

/// <summary>A cache that a killed process left unfinished, which is continued or written anew.</summary>
internal sealed class PartialCacheReader() : TeacherCacheReader("teacher-cache-partial", ToyCache.Key(rows: 300))
{
    public override int Cost => 8;

    protected override string FilePath => PartialFile.PathFor(base.FilePath);

    public override void Place(byte[] input)
    {
        File.Delete(base.FilePath);
        base.Place(input);
    }

    public override void Read(byte[] input) => Use(new FolderCache(Options(CacheMode.UseOrCreate), Folder.Path, _ => { }, _ => { }, default));

    public override bool IsExpected(Exception error) => false;

    public override long Bound(int length) => (4 << 20) + (32L * length);
}

/// <summary>A cache of another teacher, whose differences are told where none matches. It never throws.</summary>
internal sealed class SimilarCacheReader() : TeacherCacheReader("teacher-cache-similar", ToyCache.Key(rows: 20))
{
    protected override string FilePath => Folder.File("other.teacher");

    public override void Read(byte[] input) => SimilarCache.Describe(Folder.Path, Key with { Teacher = "another teacher" });

    public override bool IsExpected(Exception error) => false;
}
