using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>A teacher of 7 classes whose outputs are functions of row id, view, output and place. Compiled into MlNetDistill.CacheBuilder too.</summary>
internal static class ToyCache
{
    public const int Classes = 7;

    public const ModelOutputs All = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;

    public static OutputShapes Shapes { get; } = new(Classes, 5, [[2, 3, 3], [4]]);

    public static CacheFileKey Key(
        int rows = 600, ModelOutputs kept = ModelOutputs.Logits, CachePrecision precision = CachePrecision.Single, int? topK = null, int views = 0) => new()
        {
            Teacher = "toy teacher",
            Data = "toy data",
            Rows = rows,
            Classes = "a, b, c, d, e, f, g",
            Shapes = Shapes,
            Kept = kept,
            Precision = precision,
            TopK = topK,
            AugmentedViews = views,
            Augmentation = views == 0 ? null : "toy views",
        };

    public static RowId[] Ids(int rows, ulong first = 1000) => [.. Enumerable.Range(0, rows).Select(i => new RowId(first + (ulong)i, (ulong)i % 3))];

    /// <summary>A value of an output (0 logits, 1 embedding, 2 and 3 stage features), within ±8.</summary>
    public static float Value(RowId id, int view, int part, int place) =>
        (float)(8 * Math.Sin(1 + (id.Low * 12.9898) + (id.High * 3.7) + (view * 78.233) + (part * 37.719) + (place * 4.1414)));

    public static IEnumerable<(int Part, int Length, long[] Dimensions)> Parts(ModelOutputs kept)
    {
        if (kept.HasFlag(ModelOutputs.Logits))
            yield return (0, Classes, [Classes]);
        if (kept.HasFlag(ModelOutputs.Embedding))
            yield return (1, 5, [5]);
        if (!kept.HasFlag(ModelOutputs.StageFeatures))
            yield break;
        yield return (2, 18, [2, 3, 3]);
        yield return (3, 4, [4]);
    }

    /// <summary>The outputs from an entry on, in chunks.</summary>
    public static IEnumerable<OutputChunk> Outputs(CacheFileKey key, IReadOnlyList<RowId> ids, long from, int chunk = 50)
    {
        for (var entry = from; entry < key.Entries; entry += chunk)
        {
            using var scope = NewDisposeScope();
            var entries = Enumerable.Range(0, (int)Math.Min(chunk, key.Entries - entry)).Select(i => entry + i)
                .Select(e => (Id: ids[(int)(e % ids.Count)], View: key.AugmentedViews == 0 ? 0 : 1 + (int)(e / ids.Count))).ToArray();
            var parts = Parts(key.Kept).Select(p => Part(entries, p.Part, p.Length, p.Dimensions).DetachFromDisposeScope()).ToArray();
            yield return new OutputChunk([.. entries.Select(e => e.Id)], parts);
            foreach (var part in parts)
                part.Dispose();
        }
    }

    private static Tensor Part((RowId Id, int View)[] entries, int part, int length, long[] dimensions) =>
        tensor(entries.SelectMany(e => Enumerable.Range(0, length).Select(i => Value(e.Id, e.View, part, i))).ToArray()).reshape([entries.Length, .. dimensions]);
}
