using MlNetDistill.Cache;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>A temporary folder for caches, and what the runs in it log.</summary>
internal sealed class CacheRun : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("teacher-cache-").FullName;

    public List<string> Infos { get; } = [];

    public List<string> Warnings { get; } = [];

    /// <summary>The first entry of every query of the teacher.</summary>
    public List<long> QueriedFrom { get; } = [];

    public string File(CacheFileKey key) => Path.Combine(Folder, key.FileName);

    public string Partial(CacheFileKey key) => File(key) + ".partial";

    public CachedOutputs Open(
        CacheFileKey key,
        IReadOnlyList<RowId>? order = null,
        IReadOnlyList<RowId>? ids = null,
        TeacherCacheOptions? options = null,
        Func<long, IEnumerable<OutputChunk>>? outputs = null,
        Func<CachedOutputs, string?>? verify = null,
        CancellationToken cancellation = default)
    {
        var rowIds = ids ?? ToyCache.Ids((int)key.Rows);
        var store = new CacheStore(options ?? new() { Folder = Folder }, Path.Combine(Folder, "temporary"), Infos.Add, Warnings.Add, cancellation);
        return store.Open(new(key, RowIds.From(order ?? rowIds), CPU, Query) { FindMismatch = verify });

        IEnumerable<OutputChunk> Query(long from)
        {
            QueriedFrom.Add(from);
            return outputs?.Invoke(from) ?? ToyCache.Outputs(key, rowIds, from);
        }
    }

    /// <summary>Opens and closes a cache, and reads its file.</summary>
    public byte[] Make(CacheFileKey key, TeacherCacheOptions? options = null, Func<long, IEnumerable<OutputChunk>>? outputs = null)
    {
        Open(key, options: options, outputs: outputs).Dispose();
        return System.IO.File.ReadAllBytes(File(key));
    }

    public TeacherCacheOptions With(CacheMode reuse) => new() { Folder = Folder, Mode = reuse };

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
