using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>A teacher cache in a folder: an existing one is used, one that another process is building is awaited, and else one is built.</summary>
internal sealed class FolderCache(TeacherCacheOptions options, string folder, Action<string> info, Action<string> warn, CancellationToken cancellation)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    public CachedOutputs Open(CacheRequest request)
    {
        var path = Path.Combine(folder, request.Key.FileName);
        var version = GetVersion(path);
        if (options.Mode != CacheMode.Rebuild && TryOpenExisting(request) is { } existing)
            return existing;
        if (options.Mode == CacheMode.UseOrCreate && !File.Exists(path) && SimilarCache.Describe(folder, request.Key) is { } similar)
            info($"The folder {folder} contains no matching teacher cache. {similar}");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw CannotWrite(e);
        }

        return Build(request, path, version);
    }

    /// <summary>Opens a cache with sufficient outputs; null if there is none that is complete and not stale.</summary>
    private CachedOutputs? TryOpenExisting(CacheRequest request)
    {
        var faults = new List<string>();
        foreach (var key in request.Key.SufficientKeys())
        {
            var path = Path.Combine(folder, key.FileName);
            if (!File.Exists(path))
                continue;
            try
            {
                var outputs = OpenFile(path, key, request, isEarlier: true);
                info($"The teacher's outputs are read from {path}.");
                DistillationInstruments.CacheRows.Add(request.Order.Count * Math.Max(1, request.Key.AugmentedViews));
                return outputs;
            }
            catch (Exception e) when (e is CacheFormatException or IOException or UnauthorizedAccessException)
            {
                faults.Add($"The teacher cache {path} cannot be used: {e.Message.TrimEnd('.')}.");
            }
        }

        if (options.Mode == CacheMode.UseOnly)
            throw NoUsableCache(request.Key, faults);
        foreach (var fault in faults)
            warn($"{fault} The teacher is queried again.");
        return null;
    }

    /// <summary>Opens a complete file. Only a file of an earlier run can be stale.</summary>
    private CachedOutputs OpenFile(string path, CacheFileKey key, CacheRequest request, bool isEarlier)
    {
        var (file, layout, ids) = CacheReader.Open(path, key, cancellation);
        CachedOutputs? outputs = null;
        try
        {
            outputs = CachedOutputs.FromFile(file, layout, ids, request, inMemory: request.Bytes <= options.MemoryLimit);
            if (isEarlier && request.FindMismatch?.Invoke(outputs) is { } mismatch)
                throw new CacheFormatException(mismatch);
            return outputs;
        }
        catch (InvalidOperationException e) when (isEarlier && outputs is null)
        {
            throw new CacheFormatException(e.Message);
        }
        catch
        {
            outputs?.Dispose();
            throw;
        }
    }

    private CachedOutputs Build(CacheRequest request, string path, (long, DateTime) version)
    {
        long kept;
        // Outputs that fit into memory are also kept there, so that the file need not be read back.
        using var buffer = request.Bytes <= options.MemoryLimit ? new OutputBuffer(request.Key) : null;
        RowIds ids;
        using (var partial = Acquire(path))
        {
            // Another process may have completed the cache since it was looked for.
            if (options.Mode == CacheMode.UseOrCreate && GetVersion(path) != version && TryOpenExisting(request) is { } finished)
            {
                partial.Delete();
                return finished;
            }

            (kept, ids) = Write(partial, request, path, buffer);
            Rename(partial, path);
        }

        if (kept == 0 && buffer is not null)
            return buffer.ToCachedOutputs(ids, request);
        try
        {
            return OpenFile(path, request.Key, request, isEarlier: kept > 0);
        }
        catch (CacheFormatException fault) when (kept > 0)
        {
            warn($"The teacher cache {path}, begun by an earlier run, cannot be used: {fault.Message.TrimEnd('.')}. The teacher is queried again.");
            return Build(request, path, GetVersion(path));
        }
        catch (CacheFormatException fault)
        {
            throw new IOException($"The teacher cache {path} was just written and cannot be used: {fault.Message.TrimEnd('.')}. The disk may be faulty.");
        }
    }

    /// <summary>Opens the partial file, when no other process has it open.</summary>
    private PartialFile Acquire(string path)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                if (PartialFile.TryOpen(PartialFile.PathFor(path)) is { } partial)
                    return partial;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw CannotWrite(e);
            }

            if (isFirst)
                info($"Waiting for another process that is building the teacher cache {path}.");
            cancellation.WaitHandle.WaitOne(PollInterval);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Writes the missing entries; returns the number of entries of an earlier run, and the row ids.</summary>
    private (long Kept, RowIds Ids) Write(PartialFile partial, CacheRequest request, string path, OutputBuffer? buffer)
    {
        var layout = new CacheLayout(request.Key);
        using var writer = new CacheWriter(partial.File, layout);
        try
        {
            if (options.Mode == CacheMode.Rebuild || !request.IsResumable)
                writer.Clear();
            return Write(writer, layout, request, path, buffer);
        }
        catch (Exception e) when (e is CacheWriteException || partial.File.Length <= layout.Header.Length)
        {
            // Without a complete block there is nothing to continue from.
            var isKept = (e is CacheWriteException ended ? ended.Written : partial.File.Length) > layout.Header.Length;
            if (!isKept)
                TryDelete(partial);
            if (e is CacheWriteException failure)
                throw CannotComplete(path, failure, isKept);
            throw;
        }
    }

    private (long Kept, RowIds Ids) Write(CacheWriter writer, CacheLayout layout, CacheRequest request, string path, OutputBuffer? buffer)
    {
        var kept = writer.Resume(cancellation);
        // The entries of an earlier run must be read from the file and checked.
        writer.CopyTo = kept == 0 && buffer is not null ? buffer.Put : null;
        DistillationInstruments.CacheRows.Add(kept);
        info(kept == 0
            ? $"The teacher's outputs are written to {path}."
            : $"The teacher cache {path} is continued after {kept} of {layout.Entries} rows.");
        writer.Write(kept, request.OutputsFrom, cancellation);
        return (kept, writer.Ids.ToRowIds());
    }

    private static void TryDelete(PartialFile partial)
    {
        try
        {
            partial.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone or cannot be written any more; why the cache could not be written is what the caller must hear. A later run uses the file or replaces it.
        }
    }

    private static void Rename(PartialFile partial, string path)
    {
        try
        {
            partial.MoveTo(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(
                $"The new teacher cache cannot replace {path}: {e.Message} Another process may be reading that file. The new cache is kept as "
                + $"{PartialFile.PathFor(path)}, and the next run tries to replace the file again.",
                e);
        }
    }

    private InvalidOperationException CannotWrite(Exception cause) => new(
        $"The folder '{folder}' for teacher caches cannot be written: {cause.Message} Set TeacherCacheOptions.Folder to a folder that this user may write to, or leave "
        + "it out to keep the teacher's outputs for this fit only.",
        cause);

    private static InvalidOperationException CannotComplete(string path, CacheWriteException failure, bool isKept)
    {
        var kept = isKept ? "They stay there, and the next fit continues after them; an earlier cache is unchanged." : "An earlier cache is unchanged.";
        var error = WriteFailure.Create(PartialFile.PathFor(path), "the teacher's outputs", failure.Written, kept, failure.InnerException!);
        return new($"{error.Message} Or leave TeacherCacheOptions.Folder out to keep the outputs for this fit only.", error);
    }

    private InvalidOperationException NoUsableCache(CacheFileKey key, List<string> faults)
    {
        var found = faults.Count > 0 ? string.Join(' ', faults)
            : $"The folder {folder} contains no teacher cache {key.FileName}{(File.Exists(PartialFile.PathFor(Path.Combine(folder, key.FileName))) ? ", only an incomplete one" : "")}.";
        var similar = faults.Count > 0 ? null : SimilarCache.Describe(folder, key);
        return new($"{found} {(similar is null ? "" : similar + " ")}Set Mode to UseOrCreate to build it, or Folder to the folder that contains it.");
    }

    private static (long Length, DateTime Written) GetVersion(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.Length, file.LastWriteTimeUtc) : default;
    }
}
