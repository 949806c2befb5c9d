using System.Security.Cryptography;
using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Cache;

/// <summary>Opens complete cache files and verifies them to the last byte.</summary>
internal static class CacheReader
{
    /// <summary>Returns the open file, its layout and the row ids of its first view.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">The expected key.</param>
    /// <param name="cancellation">Cancels the verification.</param>
    /// <exception cref="CacheFormatException">The file is damaged or has another key.</exception>
    public static (FileStream File, CacheLayout Layout, RowIds Ids) Open(string path, CacheFileKey key, CancellationToken cancellation)
    {
        var file = OpenShared(path, cancellation);
        try
        {
            var layout = ReadLayout(file, key);
            if (file.Length != layout.FileBytes)
                throw new CacheFormatException($"it has {file.Length} bytes; by its header it must have {layout.FileBytes}");
            return (file, layout, ReadIds(file, layout, cancellation));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // The process that completed the file keeps it open for a moment after it was renamed.
    private static FileStream OpenShared(string path, CancellationToken cancellation)
    {
        for (var attemptsLeft = 50; ; attemptsLeft--)
        {
            try
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            }
            catch (IOException e) when (PartialFile.IsInUse(e) && attemptsLeft > 0)
            {
                cancellation.WaitHandle.WaitOne(100);
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private static CacheLayout ReadLayout(FileStream file, CacheFileKey key)
    {
        var header = CacheHeader.Read(file);
        if (header["writtenBy"] is not { } writtenBy || writtenBy.GetValueKind() != JsonValueKind.String)
            throw new CacheFormatException("its header does not name the library that wrote it");
        if (header["format"]?.ToJsonString() is var format && format != $"{CacheLayout.Version}")
            throw new CacheFormatException($"it has format {format}; this version of the library reads format {CacheLayout.Version}");
        var differences = CacheHeader.FindDifferences(header, key);
        if (differences.Count > 0)
            throw new CacheFormatException($"it differs in {string.Join(", ", differences)}");

        // Versions of the library may differ. Everything else in the header must be as this version writes it, to the byte.
        var layout = new CacheLayout(key, writtenBy.GetValue<string>());
        if (!layout.HasHeader(file))
            throw new CacheFormatException("its header differs from what this version of the library writes");
        return layout;
    }

    private static RowIds ReadIds(FileStream file, CacheLayout layout, CancellationToken cancellation)
    {
        using var hashes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hashes.AppendData(layout.HeaderHash);
        var buffer = new BlockBuffer(layout);
        var ids = new RowIdsBuilder();
        var entry = 0L;
        for (var block = 0L; block < layout.Blocks; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!buffer.Read(file, block))
                throw new CacheFormatException($"block {block} does not match its hash");
            if (layout.Fields[0] is { Output: ModelOutputs.Logits } classes && layout.Key.TopK is not null && !TopLogits.AreClasses(buffer.Values(block, 0), classes.Type, layout.Key.Shapes.LogitCount))
                throw new CacheFormatException($"block {block} has logits of classes that do not exist");
            hashes.AppendData(buffer.Hash(block));
            for (var row = 0; row < layout.RowsIn(block); row++, entry++)
            {
                var (view, position) = Math.DivRem(entry, layout.Key.Rows);
                if (view == 0)
                    ids.Add(buffer.GetId(row));
                else if (ids[position] != buffer.GetId(row))
                    throw new CacheFormatException($"the rows of view {view + 1} are not in the order of view 1");
            }
        }

        var footer = new byte[CacheLayout.FooterBytes];
        file.Position = layout.FooterStart;
        file.ReadExactly(footer);
        if (!footer.AsSpan().SequenceEqual(layout.CreateFooter(hashes)))
            throw new CacheFormatException("its footer does not match its blocks");
        return ids.ToRowIds();
    }
}
