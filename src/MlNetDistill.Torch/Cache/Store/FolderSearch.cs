using MlNetDistill.Core;


namespace MlNetDistill.Cache;

/// <summary>A record in a folder that outlives the run: found, waited for while another process builds it, or built.</summary>
internal sealed class FolderSearch(TeacherCacheOptions options, string folder, Action<string> info, Action<string> warn, CancellationToken cancellation)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    public CachedOutputs Open(CacheRequest request)
    {
        var path = Path.Combine(folder, request.Key.FileName);
        var seen = Stamp(path);
        if (options.Mode != CacheMode.Rebuild && Existing(request) is { } existing)
            return existing;
        if (options.Mode == CacheMode.UseOrCreate && !File.Exists(path) && CacheFolder.Nearest(folder, request.Key) is { } nearest)
            info($"The folder {folder} holds no record of these answers. {nearest}");
        CacheFolder.Make(folder);
        return Build(request, path, seen);
    }

    /// <summary>A record that serves, if there is one that is whole and not stale.</summary>
    private CachedOutputs? Existing(CacheRequest request)
    {
        var faults = new List<string>();
        foreach (var serving in request.Key.SufficientKeys())
        {
            var path = Path.Combine(folder, serving.FileName);
            if (!File.Exists(path))
                continue;
            try
            {
                var answers = CacheOpening.Open(path, serving, request, options.MemoryLimit, earlier: true, cancellation);
                info($"The teacher's answers are read from {path}.");
                DistillationInstruments.CacheRows.Add((long)request.Order.Count * Math.Max(1, request.Key.AugmentedViews));
                return answers;
            }
            catch (Exception e) when (e is CacheFormatException or IOException or UnauthorizedAccessException)
            {
                faults.Add($"The teacher cache {path} cannot be used: {e.Message.TrimEnd('.')}.");
            }
        }

        if (options.Mode == CacheMode.UseOnly)
            throw Refusal(request.Key, faults);
        foreach (var fault in faults)
            warn($"{fault} The teacher is asked again.");
        return null;
    }

    private CachedOutputs Build(CacheRequest request, string path, object seen)
    {
        long kept;
        // Answers that fit into memory are kept there while they are written.
        using var held = request.Bytes <= options.MemoryLimit ? new AnswerTensors(request.Key) : null;
        List<RowId> ids;
        using (var partial = Acquire(path))
        {
            // Another process may have finished it since it was looked for.
            if (options.Mode == CacheMode.UseOrCreate && !Stamp(path).Equals(seen) && Existing(request) is { } finished)
            {
                partial.Delete();
                return finished;
            }

            (kept, ids) = Write(partial, request, path, held);
            Place(partial, path);
        }

        // Of a record that was made from the first block on, nothing need be read back.
        if (kept == 0 && held is not null)
            return held.For(ids, request);
        try
        {
            return CacheOpening.Open(path, request.Key, request, options.MemoryLimit, earlier: kept > 0, cancellation);
        }
        catch (CacheFormatException fault) when (kept > 0)
        {
            // What the earlier run left was stale.
            warn($"The teacher cache {path}, begun by an earlier run, cannot be used: {fault.Message.TrimEnd('.')}. The teacher is asked again.");
            return Build(request, path, Stamp(path));
        }
        catch (CacheFormatException fault)
        {
            throw new IOException($"The teacher cache {path} was just written and cannot be used: {fault.Message.TrimEnd('.')}. The disk may be at fault.");
        }
    }

    private PartialFile Acquire(string path)
    {
        for (var first = true; ; first = false)
        {
            try
            {
                if (PartialFile.TryOpen(PartialFile.PathFor(path)) is { } partial)
                    return partial;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw CacheFolder.Unwritable(folder, e);
            }

            if (first)
                info($"Another process is building the teacher cache {path}; it is waited for.");
            cancellation.WaitHandle.WaitOne(Poll);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Builds what is missing; gives the number of entries that an earlier run had left, and the row ids.</summary>
    private (long Kept, List<RowId> Ids) Write(PartialFile partial, CacheRequest request, string path, AnswerTensors? held)
    {
        var layout = new CacheLayout(request.Key);
        if (options.Mode == CacheMode.Rebuild || !request.IsResumable)
            partial.File.SetLength(0);
        using var writer = new CacheWriter(partial.File, layout);
        var kept = writer.Resume(cancellation);
        // What an earlier run left is read from the file, and checked.
        writer.AlsoPut = kept == 0 && held is not null ? held.Put : null;
        DistillationInstruments.CacheRows.Add(kept);
        info(kept == 0
            ? $"The teacher's answers are written to {path}."
            : $"The teacher cache {path} is continued after {kept} of {layout.Entries} answers.");
        try
        {
            writer.Write(kept, request.AnswersFrom, cancellation);
        }
        catch when (partial.File.Length <= layout.Header.Length)
        {
            // No block to go on from.
            partial.Delete();
            throw;
        }

        return (kept, writer.Ids);
    }

    private static void Place(PartialFile partial, string path)
    {
        try
        {
            partial.MoveTo(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(
                $"The finished teacher cache could not take the place of {path}: {e.Message} Another process may be reading that file. The record is kept as "
                + $"{PartialFile.PathFor(path)}, and the next run that finds the place free uses it.",
                e);
        }
    }

    private InvalidOperationException Refusal(CacheFileKey key, List<string> faults)
    {
        var found = faults.Count > 0 ? string.Join(' ', faults)
            : $"The folder {folder} holds no teacher cache {key.FileName}{(File.Exists(PartialFile.PathFor(Path.Combine(folder, key.FileName))) ? ", only one that is not finished" : "")}.";
        var nearest = faults.Count > 0 ? null : CacheFolder.Nearest(folder, key);
        return new($"{found} {(nearest is null ? "" : nearest + " ")}Set Mode to UseOrCreate to have it built, or Folder to where it is.");
    }

    private static object Stamp(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.Length, file.LastWriteTimeUtc) : (0L, default(DateTime));
    }
}
