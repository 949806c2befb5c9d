using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>Finds a teacher's cache, or has it built: in memory, in a file for the fit, or in a folder where later runs and other processes find it.</summary>
/// <param name="options">Where and how.</param>
/// <param name="temporaryFolder">For a record without a folder that is larger than the memory limit; the file is gone when the answers are disposed of.</param>
/// <param name="info">Told what is done.</param>
/// <param name="warn">Told of records that cannot be used.</param>
/// <param name="cancellation">Ends building and waiting; what was built in a folder is kept for the next run.</param>
/// <param name="time">The clock by which a teacher that takes long is reported on; the system's if null.</param>
internal sealed class CacheStore(
    TeacherCacheOptions options, string temporaryFolder, Action<string> info, Action<string> warn, CancellationToken cancellation,
    TimeProvider? time = null)
{
    private readonly HashSet<string> _built = [];
    private long _held;

    /// <summary>Where and how.</summary>
    public TeacherCacheOptions Options => options;

    /// <summary>Bytes of answers that may still be held in memory, with those of all records that are open.</summary>
    public long Room => Math.Max(0, options.MemoryLimit - _held);

    /// <summary>Whether a record that serves is there, whole or begun, and may be used; or no other may be built.</summary>
    public bool HasBegun(CacheFileKey key) => options.Folder is { } folder && options.Mode switch
    {
        CacheMode.Rebuild => false,
        CacheMode.UseOnly => true,
        _ => key.SufficientKeys().Select(serving => Path.Combine(folder, serving.FileName)).Any(path => File.Exists(path) || File.Exists(PartialFile.PathFor(path))),
    };

    /// <summary>A cache that was there, or one that is built now.</summary>
    /// <exception cref="InvalidOperationException">The answers cannot be kept, do not fit the rows, or there is no cache and none may be built.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public CachedOutputs Open(CacheRequest request)
    {
        var key = request.Key;
        key.Check();
        var report = new QueryReport(info, time ?? TimeProvider.System);
        var watched = request with { AnswersFrom = from => report.Watch(request.AnswersFrom(from), from, key.Entries) };
        var answers = DistillationInstruments.Trace("distillation.cache", activity =>
        {
            activity?.SetTag("distillation.rows", key.Entries);
            return options.Folder is { } folder
                ? new FolderSearch(Once(key) with { MemoryLimit = Room }, folder, info, warn, cancellation).Open(watched)
                : Build(watched);
        });
        var bytes = answers.Bytes;
        _held += bytes;
        return answers.WhenDisposed(() => _held -= bytes);
    }

    /// <summary>A store that keeps answers in the same way, and for this run only.</summary>
    public CacheStore WithoutFolder() =>
        new(options with { Folder = null, Mode = CacheMode.UseOrCreate }, temporaryFolder, info, warn, cancellation, time);

    private CachedOutputs Build(CacheRequest request)
    {
        if (request.Bytes > Room)
        {
            info($"The teacher's answers take {request.Bytes} bytes, more than the {Room} that are left of the limit: they are kept in a temporary file.");
            return InScratchFile(request);
        }

        using var tensors = new AnswerTensors(request.Key);
        var ids = new List<RowId>((int)request.Key.Rows);
        new AnswerIntake(request.Key, ids, (first, _, fields) => tensors.Put(first, fields)).Take(0, request.AnswersFrom, cancellation);
        return tensors.For(ids, request);
    }

    /// <summary>What is built anew is so once: the stages after that use it.</summary>
    private TeacherCacheOptions Once(CacheFileKey key)
    {
        var serves = key.SufficientKeys().Any(serving => _built.Contains(serving.FileName));
        _built.Add(key.FileName);
        return serves && options.Mode == CacheMode.Rebuild ? options with { Mode = CacheMode.UseOrCreate } : options;
    }

    private CachedOutputs InScratchFile(CacheRequest request)
    {
        var layout = new CacheLayout(request.Key);
        Directory.CreateDirectory(temporaryFolder);
        var path = Path.Combine(temporaryFolder, $"{Guid.NewGuid():N}.teacher");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 0, FileOptions.DeleteOnClose);
        try
        {
            // Nothing is left even of a process that is killed: here the name goes at once, on Windows the file when the system closes it.
            if (!OperatingSystem.IsWindows())
                File.Delete(path);
            List<RowId> ids;
            using (var writer = new CacheWriter(file, layout))
            {
                writer.Write(writer.Resume(cancellation), request.AnswersFrom, cancellation);
                ids = writer.Ids;
            }

            var rows = new MappedRows(new MappedFile(file), layout, request.Device);
            try
            {
                rows.Map = RowJoin.Of(ids, request.Order, rows.Same);
                return new CachedOutputs(request.Key, request.Key, rows);
            }
            catch
            {
                rows.Dispose();
                throw;
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
