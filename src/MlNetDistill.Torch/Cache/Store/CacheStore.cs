using MlNetDistill.Core;
using static TorchSharp.torch;

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

    /// <summary>Bytes of answers that may still be held in memory, with those of all records that are open.</summary>
    public long Room => Math.Max(0, options.MemoryLimit - _held);

    /// <summary>Whether a record that serves is there, whole or begun, and may be used; or no other may be built.</summary>
    public bool HasBegun(CacheFileKey key) => options.Folder is { } folder && options.Mode switch
    {
        CacheMode.Rebuild => false,
        CacheMode.UseOnly => true,
        _ => key.Serving().Select(serving => Path.Combine(folder, serving.FileName)).Any(path => File.Exists(path) || File.Exists(PartialFile.PathFor(path))),
    };

    /// <summary>A record that was there, or one that is built now.</summary>
    /// <param name="key">What the answers depend on. A record that keeps more serves too.</param>
    /// <param name="order">Row ids by position. Each must be in the record; one that is there twice must have the same answers.</param>
    /// <param name="device">Where the answers are wanted.</param>
    /// <param name="answersFrom">
    /// The answers from entry n on, as n are there already, in an order that is always the same; with views all rows of view 1 first, then those of view 2
    /// in the same order. Not called when all are there. It is enumerated at most once, on this thread.
    /// </param>
    /// <param name="verify">
    /// Asked about a record that an earlier run made, or began: null, or what is wrong with it, as the end of a sentence; then it is stale.
    /// </param>
    /// <param name="resumable">Whether answers that an interrupted run left may be gone on from.</param>
    /// <exception cref="InvalidOperationException">The answers cannot be kept, do not fit the rows, or there is no record and none may be built.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public CachedOutputs Open(
        CacheFileKey key,
        IReadOnlyList<RowId> order,
        Device device,
        Func<long, IEnumerable<OutputChunk>> answersFrom,
        Func<CachedOutputs, string?>? verify = null,
        bool resumable = true)
    {
        key.Check();
        var report = new QueryReport(info, time ?? TimeProvider.System);
        IEnumerable<OutputChunk> Watched(long from) => report.Watch(answersFrom(from), from, key.Entries);
        var answers = DistillationInstruments.Traced("distillation.record", activity =>
        {
            activity?.SetTag("distillation.rows", key.Entries);
            return options.Folder is { } folder
                ? new FolderSearch(Once(key) with { MemoryLimit = Room }, folder, info, warn, cancellation)
                    .Open(new(key, order, device, Watched, verify, resumable))
                : ForThisRun(key, order, device, Watched);
        });
        var bytes = answers.Bytes;
        _held += bytes;
        return answers.Telling(() => _held -= bytes);
    }

    private CachedOutputs ForThisRun(CacheFileKey key, IReadOnlyList<RowId> order, Device device, Func<long, IEnumerable<OutputChunk>> answersFrom)
    {
        var layout = new CacheLayout(key);
        if (CacheOpening.Held(layout, key.Kept, order.Count) <= Room)
            return new CachedOutputs(key, layout, MemoryRows.Build(layout, order, device, answersFrom, cancellation));
        info($"The teacher's answers take {layout.EntryBytes * layout.Entries} bytes, more than the {Room} that are left of the limit: they are kept in a temporary file.");
        return InScratchFile(layout, order, device, answersFrom);
    }

    /// <summary>What is built anew is so once: the stages after that use it.</summary>
    private TeacherCacheOptions Once(CacheFileKey key)
    {
        var serves = key.Serving().Any(serving => _built.Contains(serving.FileName));
        _built.Add(key.FileName);
        return serves && options.Mode == CacheMode.Rebuild ? options with { Mode = CacheMode.UseOrCreate } : options;
    }

    private CachedOutputs InScratchFile(CacheLayout layout, IReadOnlyList<RowId> order, Device device, Func<long, IEnumerable<OutputChunk>> answersFrom)
    {
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
                writer.Write(writer.Resume(cancellation), answersFrom, cancellation);
                ids = writer.Ids;
            }

            var rows = new MappedRows(new MappedFile(file), layout, device);
            try
            {
                rows.Map = RowJoin.Of(ids, order, rows.Same);
                return new CachedOutputs(layout.Key, layout, rows);
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
