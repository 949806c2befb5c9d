using System.Security.Cryptography;
using System.Text.Json;
using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>Opens finished records. What is given out has been checked to the last byte.</summary>
internal static class CacheReader
{
    /// <summary>The file, its layout and the row ids of its first view.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">What it should hold.</param>
    /// <param name="cancellation">Ends the check.</param>
    /// <exception cref="CacheFormatException">The file is damaged or holds other answers than those of <paramref name="key"/>.</exception>
    public static (MappedFile File, CacheLayout Layout, IReadOnlyList<RowId> Ids) Open(string path, CacheFileKey key, CancellationToken cancellation)
    {
        var file = OpenShared(path, cancellation);
        try
        {
            var layout = LayoutOf(file, key);
            if (file.Length != layout.FileBytes)
                throw new CacheFormatException($"it has {file.Length} bytes where its header means {layout.FileBytes}");
            var ids = ReadIds(file, layout, cancellation);
            return (new MappedFile(file), layout, ids);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // The process that finished the record holds it for an instant after giving it its name.
    private static FileStream OpenShared(string path, CancellationToken cancellation)
    {
        for (var patience = 50; ; patience--)
        {
            try
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            }
            catch (IOException e) when (PartialFile.IsInUse(e) && patience > 0)
            {
                cancellation.WaitHandle.WaitOne(100);
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private static CacheLayout LayoutOf(FileStream file, CacheFileKey key)
    {
        using var header = CacheHeader.Read(file);
        var root = header.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("writtenBy", out var by) || by.ValueKind != JsonValueKind.String)
            throw new CacheFormatException("its header does not say what wrote it");
        if (!root.TryGetProperty("format", out var format) || !format.TryGetInt32(out var version) || version != CacheLayout.Version)
            throw new CacheFormatException($"it is of format {format}, and this version of the library reads format {CacheLayout.Version}");
        var differences = CacheHeader.Differences(root, key);
        if (differences.Count > 0)
            throw new CacheFormatException($"it is another record: it differs in {string.Join(", ", differences)}");

        // The version of the library is no part of what a record is; but for it the header must be the one this library writes, to the byte.
        var layout = new CacheLayout(key, by.GetString());
        var there = new byte[layout.Header.Length];
        file.Position = 0;
        if (file.ReadAtLeast(there, there.Length, throwOnEndOfStream: false) < there.Length || !there.AsSpan().SequenceEqual(layout.Header))
            throw new CacheFormatException("its header is not as this version of the library writes it");
        return layout;
    }

    private static RowId[] ReadIds(FileStream file, CacheLayout layout, CancellationToken cancellation)
    {
        using var hashes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hashes.AppendData(layout.HeaderHash);
        var buffer = new BlockBuffer(layout);
        var ids = new RowId[layout.Key.Rows];
        var entry = 0L;
        for (var block = 0L; block < layout.Blocks; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!buffer.Read(file, block))
                throw new CacheFormatException($"block {block} does not match its hash");
            hashes.AppendData(buffer.Hash(block));
            for (var row = 0; row < layout.RowsIn(block); row++, entry++)
            {
                var (view, position) = Math.DivRem(entry, layout.Key.Rows);
                if (view == 0)
                    ids[position] = buffer.Id(row);
                else if (ids[position] != buffer.Id(row))
                    throw new CacheFormatException($"the rows of view {view + 1} are not in the order of view 1");
            }
        }

        var footer = new byte[CacheLayout.FooterBytes];
        file.Position = layout.FooterStart;
        file.ReadExactly(footer);
        if (!footer.AsSpan().SequenceEqual(CacheWriter.Footer(layout, hashes)))
            throw new CacheFormatException("its footer does not match its blocks");
        return ids;
    }
}
