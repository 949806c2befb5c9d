using MlNetDistill.Cache;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Cache;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>The readers of the library.</summary>
internal static class AllReaders
{
    private static readonly Dictionary<string, Func<Reader>> Makers = new()
    {
        ["teacher-cache"] = () => new TeacherCacheReader("teacher-cache", ToyCache.Key(rows: 300)),
        ["teacher-cache-top"] = () => new TeacherCacheReader("teacher-cache-top", ToyCache.Key(rows: 40, topK: 3, precision: CachePrecision.Half)),
        ["teacher-cache-views"] = () => new TeacherCacheReader("teacher-cache-views", ToyCache.Key(rows: 30, kept: ModelOutputs.Logits | ModelOutputs.Embedding, views: 2)),
        ["teacher-cache-partial"] = () => new PartialCacheReader(),
        ["teacher-cache-similar"] = () => new SimilarCacheReader(),
        ["training-state"] = () => new TrainingStateReader(),
        ["row-file"] = () => new RowFileReader(),
        ["checkpoint"] = () => new CheckpointReader(),
        ["training-description"] = () => new TrainingDescriptionReader(),
        ["network-json"] = () => new NetworkJsonReader(),
        ["search-trial"] = () => new SearchTrialReader(),
        ["onnx-layout"] = () => new OnnxLayoutReader(),
        ["onnx-model"] = () => new OnnxModelReader(),
        ["torchscript-archive"] = () => new ScriptArchiveReader(),
        ["zip-manifest"] = () => new ZipManifestReader(),
        ["student-zip"] = () => new StudentZipReader(),
        ["scoring"] = () => new ScoringReader(),
    };

    public static IReadOnlyList<string> Names => [.. Makers.Keys];

    public static Reader Create(string name) => Makers[name]();
}
