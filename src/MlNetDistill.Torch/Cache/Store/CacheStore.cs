using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>Opens or builds teacher caches: in memory, in a temporary file, or in a folder for later runs and other processes.</summary>
/// <param name="options">The user's options.</param>
/// <param name="temporaryFolder">For a cache that is larger than the memory limit, if there is no folder. Its file is deleted when the outputs are disposed.</param>
/// <param name="info">Logs information.</param>
/// <param name="warn">Logs warnings about caches that cannot be used.</param>
/// <param name="cancellation">Cancels building and waiting. What was written to a folder is kept for the next run.</param>
/// <param name="time">The clock for the progress of slow teachers; null for the system's.</param>
internal sealed class CacheStore(
    TeacherCacheOptions options, string temporaryFolder, Action<string> info, Action<string> warn, CancellationToken cancellation,
    TimeProvider? time = null)
{
    private readonly HashSet<string> _opened = [];
    private long _bytesInUse;

    /// <summary>The user's options.</summary>
    public TeacherCacheOptions Options => options;

    /// <summary>Bytes that further outputs may take in memory beside those of all open caches.</summary>
    public long RemainingMemory => Math.Max(0, options.MemoryLimit - _bytesInUse);

    /// <summary>Whether a complete or partial cache in the folder will be used, or only an existing one may be used.</summary>
    public bool UsesExisting(CacheFileKey key) => options.Folder is { } folder && options.Mode switch
    {
        CacheMode.Rebuild => false,
        CacheMode.UseOnly => true,
        _ => key.SufficientKeys().Select(sufficient => Path.Combine(folder, sufficient.FileName)).Any(path => File.Exists(path) || File.Exists(PartialFile.PathFor(path))),
    };

    /// <summary>Opens a cache, and builds it first if there is none.</summary>
    /// <exception cref="InvalidOperationException">The outputs cannot be cached, do not fit the rows, or there is no cache and none may be built.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public CachedOutputs Open(CacheRequest request)
    {
        var key = request.Key;
        key.Check();
        var progress = new QueryProgress(info, time ?? TimeProvider.System);
        var reported = request with { OutputsFrom = from => progress.Report(request.OutputsFrom(from), from, key.Entries) };
        var outputs = DistillationInstruments.Trace("distillation.cache", activity =>
        {
            activity?.SetTag("distillation.rows", key.Entries);
            return options.Folder is { } folder
                ? new FolderCache(OptionsFor(key), folder, info, warn, cancellation).Open(reported)
                : Build(reported);
        });
        var bytes = outputs.Bytes;
        _bytesInUse += bytes;
        outputs.Disposed = () => _bytesInUse -= bytes;
        return outputs;
    }

    /// <summary>A store with the same options, but for this run only.</summary>
    public CacheStore WithoutFolder() =>
        new(options with { Folder = null, Mode = CacheMode.UseOrCreate }, temporaryFolder, info, warn, cancellation, time);

    private CachedOutputs Build(CacheRequest request)
    {
        if (request.Bytes > RemainingMemory)
        {
            info($"The teacher's outputs take {request.Bytes} bytes. {RemainingMemory} bytes are left of TeacherCache.MemoryLimit, so they are written to a temporary file.");
            return BuildInTemporaryFile(request);
        }

        using var buffer = new OutputBuffer(request.Key);
        var ids = new RowIdsBuilder();
        new OutputCollector(request.Key, ids, (first, _, fields) => buffer.Put(first, fields)).Collect(0, request.OutputsFrom, cancellation);
        return buffer.ToCachedOutputs(ids.ToRowIds(), request);
    }

    // A cache is rebuilt once in a run: later stages use the new one.
    private TeacherCacheOptions OptionsFor(CacheFileKey key)
    {
        var isNew = key.SufficientKeys().Any(sufficient => _opened.Contains(sufficient.FileName));
        _opened.Add(key.FileName);
        return options with { MemoryLimit = RemainingMemory, Mode = isNew && options.Mode == CacheMode.Rebuild ? CacheMode.UseOrCreate : options.Mode };
    }

    private CachedOutputs BuildInTemporaryFile(CacheRequest request)
    {
        var layout = new CacheLayout(request.Key);
        var file = OpenTemporary();
        try
        {
            using var writer = new CacheWriter(file, layout);
            writer.Write(writer.Resume(cancellation), request.OutputsFrom, cancellation);
            return CachedOutputs.FromFile(file, layout, writer.Ids.ToRowIds(), request, inMemory: false);
        }
        catch (CacheWriteException failure)
        {
            file.Dispose();
            var error = WriteFailure.Create(file.Name, "the teacher's outputs", failure.Written, "The file is temporary, and is gone.", failure.InnerException!);
            throw new InvalidOperationException($"{error.Message} {TemporaryAdvice}", error);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private FileStream OpenTemporary()
    {
        try
        {
            Directory.CreateDirectory(temporaryFolder);
            var path = Path.Combine(temporaryFolder, $"{Guid.NewGuid():N}.teacher");
            var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 0, FileOptions.DeleteOnClose);
            // Even a killed process leaves no file: its name is deleted at once, or, on Windows, the system deletes the file when it closes it.
            if (!OperatingSystem.IsWindows())
                File.Delete(path);
            return file;
        }
        catch (Exception e) when (WriteFailure.IsPossible(e))
        {
            throw new InvalidOperationException(
                $"No file for the teacher's outputs can be created in the temporary folder '{temporaryFolder}': {e.Message.TrimEnd('.')}. {WriteFailure.Advice(temporaryFolder, e)} {TemporaryAdvice}", e);
        }
    }

    private const string TemporaryAdvice = "Set MLContext.TempFilePath or TeacherCacheOptions.Folder to a folder with more space, or raise TeacherCacheOptions.MemoryLimit.";
}
