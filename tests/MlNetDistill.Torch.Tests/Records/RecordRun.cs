using MlNetDistill.Cache;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Records;

/// <summary>A folder for records, gone after the test, and what runs in it say.</summary>
internal sealed class RecordRun : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("teacher-records-").FullName;

    public List<string> Infos { get; } = [];

    public List<string> Warnings { get; } = [];

    /// <summary>From which entries on the teacher was asked, one for each time.</summary>
    public List<long> Asked { get; } = [];

    public string File(CacheFileKey key) => Path.Combine(Folder, key.FileName);

    public string Partial(CacheFileKey key) => File(key) + ".partial";

    public CachedOutputs Open(
        CacheFileKey key,
        IReadOnlyList<RowId>? order = null,
        IReadOnlyList<RowId>? ids = null,
        TeacherCacheOptions? options = null,
        Func<long, IEnumerable<OutputChunk>>? answers = null,
        Func<CachedOutputs, string?>? verify = null,
        CancellationToken cancellation = default)
    {
        var recorded = ids ?? RecordToy.Ids((int)key.Rows);
        var store = new CacheStore(options ?? new() { Folder = Folder }, Path.Combine(Folder, "temporary"), Infos.Add, Warnings.Add, cancellation);
        return store.Open(new(key, RowIds.From(order ?? recorded), CPU, Ask) { Verify = verify });

        IEnumerable<OutputChunk> Ask(long from)
        {
            Asked.Add(from);
            return answers?.Invoke(from) ?? RecordToy.Answers(key, recorded, from);
        }
    }

    /// <summary>Opens and closes a record: its file is there afterwards.</summary>
    public byte[] Make(CacheFileKey key, TeacherCacheOptions? options = null, Func<long, IEnumerable<OutputChunk>>? answers = null)
    {
        Open(key, options: options, answers: answers).Dispose();
        return System.IO.File.ReadAllBytes(File(key));
    }

    public TeacherCacheOptions With(CacheMode reuse) => new() { Folder = Folder, Mode = reuse };

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
