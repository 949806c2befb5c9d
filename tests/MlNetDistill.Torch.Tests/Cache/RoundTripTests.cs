using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>A cache returns the teacher's outputs, for every format.</summary>
public sealed class RoundTripTests
{
    private static readonly ModelOutputs[] Keeping = [ModelOutputs.Logits, ModelOutputs.Embedding, ModelOutputs.Logits | ModelOutputs.Embedding, ToyCache.All];

    public static IEnumerable<TestCaseData> Ways() =>
        from kept in Keeping
        from precision in Enum.GetValues<CachePrecision>()
        from topK in new int?[] { null, 1, 3, 6 }
        from views in new[] { 0, 3 }
        from place in new[] { "memory", "file", "loaded", "mapped" }
        select new TestCaseData(kept, precision, topK, views, place);

    [TestCaseSource(nameof(Ways))]
    public void Outputs_are_found_by_row_id(ModelOutputs kept, CachePrecision precision, int? topK, int views, string place)
    {
        using var run = new CacheRun();
        var key = ToyCache.Key(300, kept, precision, topK, views);
        var order = ToyCache.Ids(300).Reverse().Skip(7).ToArray();
        var options = new TeacherCacheOptions
        {
            Folder = place is "memory" or "file" ? null : run.Folder,
            MemoryLimit = place is "memory" or "loaded" ? 1 << 20 : 0,
        };
        if (place is "loaded" or "mapped")
            run.Make(key);
        run.QueriedFrom.Clear();

        using var cached = run.Open(key, order, options: options);

        Assert.That((cached.InMemory, cached.Kept, cached.AugmentedViews), Is.EqualTo((place is "memory" or "loaded", kept, views)));
        Assert.That(run.QueriedFrom, Is.EqualTo(place is "loaded" or "mapped" ? [] : new long[] { 0 }));
        long[] rows = [0, 291, 5, 5, 292, 36, 37];
        for (var view = Math.Min(1, views); view <= views; view++)
            AssertOutputs(cached, order, rows, view, key);
    }

    private static void AssertOutputs(CachedOutputs cached, RowId[] order, long[] rows, int view, CacheFileKey key)
    {
        using var scope = NewDisposeScope();
        var output = cached.Read(tensor(rows), key.Kept, view);
        Assert.That(output.Available, Is.EqualTo(key.Kept));
        var outputs = new List<Tensor?> { null, null };
        if (key.Kept.HasFlag(ModelOutputs.Logits))
            outputs[0] = output.Logits;
        if (key.Kept.HasFlag(ModelOutputs.Embedding))
            outputs[1] = output.Embedding;
        if (key.Kept.HasFlag(ModelOutputs.StageFeatures))
            outputs.AddRange(output.StageFeatures);
        foreach (var (part, length, dimensions) in ToyCache.Parts(key.Kept))
        {
            Assert.That(outputs[part]!.shape, Is.EqualTo(dimensions.Prepend(rows.Length)));
            Assert.That(outputs[part]!.dtype, Is.EqualTo(ScalarType.Float32));
            var found = outputs[part]!.reshape(rows.Length, -1);
            for (var i = 0; i < rows.Length; i++)
            {
                var given = Enumerable.Range(0, length).Select(j => ToyCache.Value(order[rows[i]], view, part, j)).ToArray();
                var expected = part == 0 && key.TopK is { } k ? OfTopK(given, k, key.Precision) : [.. given.Select(v => Rounded(v, key.Precision))];
                var tolerance = part == 0 && key.TopK is not null ? 1e-5 : 0;
                Assert.That(found[i].data<float>().ToArray(), Is.EqualTo(expected).Within(tolerance));
            }
        }
    }

    // The k largest as they are; the others alike, so that their exponentials have the sum they had.
    private static float[] OfTopK(float[] given, int k, CachePrecision precision)
    {
        var least = given.OrderDescending().ElementAt(k - 1);
        var others = Math.Log(given.Where(v => v < least).Sum(v => Math.Exp(v)) / (given.Length - k));
        return [.. given.Select(v => v >= least ? Rounded(v, precision) : (float)others)];
    }

    private static float Rounded(float value, CachePrecision precision) => precision == CachePrecision.Half ? (float)(Half)value : value;
}
