using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Records;

/// <summary>Finds a teacher's record, or has it built: in memory, in a file for the fit, or in a folder where later runs and other processes find it.</summary>
/// <param name="options">Where and how.</param>
/// <param name="temporaryFolder">For a record without a folder that is larger than the memory limit; the file is gone when the answers are disposed of.</param>
/// <param name="info">Told what is done.</param>
/// <param name="warn">Told of records that cannot be used.</param>
/// <param name="cancellation">Ends building and waiting; what was built in a folder is kept for the next run.</param>
internal sealed class RecordStore(
    TeacherRecordOptions options, string temporaryFolder, Action<string> info, Action<string> warn, CancellationToken cancellation)
{
    /// <summary>A record that was there, or one that is built now.</summary>
    /// <param name="key">What the answers depend on. A record that keeps more serves too.</param>
    /// <param name="order">Row ids by position. Each must be in the record; one that is there twice must have the same answers.</param>
    /// <param name="device">Where the answers are wanted.</param>
    /// <param name="answersFrom">
    /// The answers from entry n on, as n are there already, in an order that is always the same; with views all rows of view 1 first, then those of view 2 in the
    /// same order. Not called when all are there. It is enumerated at most once, on this thread.
    /// </param>
    /// <param name="verify">
    /// Asked about a record that an earlier run made, or began: null, or what is wrong with it, as the end of a sentence; then it is stale.
    /// </param>
    /// <exception cref="InvalidOperationException">The answers cannot be kept, do not fit the rows, or there is no record and none may be built.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public RecordedAnswers Open(
        RecordKey key,
        IReadOnlyList<RowId> order,
        Device device,
        Func<long, IEnumerable<AnswerChunk>> answersFrom,
        Func<RecordedAnswers, string?>? verify = null)
    {
        key.Check();
        if (options.Folder is { } folder)
            return new FolderSearch(options, folder, info, warn, cancellation).Open(new(key, order, device, answersFrom, verify));
        var layout = new RecordLayout(key);
        if (RecordOpening.Held(layout, key.Kept, order.Count) <= options.MemoryLimit)
            return new RecordedAnswers(key, layout, MemoryRows.Build(layout, order, device, answersFrom, cancellation));
        info($"The teacher's answers take {layout.EntryBytes * layout.Entries} bytes, more than the limit of {options.MemoryLimit}: they are kept in a temporary file.");
        return InScratchFile(layout, order, device, answersFrom);
    }

    private RecordedAnswers InScratchFile(RecordLayout layout, IReadOnlyList<RowId> order, Device device, Func<long, IEnumerable<AnswerChunk>> answersFrom)
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
            using (var writer = new RecordWriter(file, layout))
            {
                writer.Write(writer.Resume(cancellation), answersFrom, cancellation);
                ids = writer.Ids;
            }

            var rows = new MappedRows(new MappedFile(file), layout, device);
            rows.Map = RowJoin.Of(ids, order, rows.Same);
            return new RecordedAnswers(layout.Key, layout, rows);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
