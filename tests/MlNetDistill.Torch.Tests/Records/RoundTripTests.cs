using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Records;

/// <summary>What comes out of a record is what the teacher said, for every way of keeping it.</summary>
public sealed class RoundTripTests
{
    private static readonly ModelOutputs[] Keeping = [ModelOutputs.Logits, ModelOutputs.Embedding, ModelOutputs.Logits | ModelOutputs.Embedding, RecordToy.All];

    public static IEnumerable<TestCaseData> Ways() =>
        from kept in Keeping
        from precision in Enum.GetValues<CachePrecision>()
        from topK in new int?[] { null, 1, 3, 6 }
        from views in new[] { 0, 3 }
        from place in new[] { "memory", "file", "loaded", "mapped" }
        select new TestCaseData(kept, precision, topK, views, place);

    [TestCaseSource(nameof(Ways))]
    public void Answers_come_back_by_row_id(ModelOutputs kept, CachePrecision precision, int? topK, int views, string place)
    {
        using var run = new RecordRun();
        var key = RecordToy.Key(300, kept, precision, topK, views);
        var order = RecordToy.Ids(300).Reverse().Skip(7).ToArray();
        var options = new TeacherCacheOptions
        {
            Folder = place is "memory" or "file" ? null : run.Folder,
            MemoryLimit = place is "memory" or "loaded" ? 1 << 20 : 0,
        };
        if (place is "loaded" or "mapped")
            run.Make(key);
        run.Asked.Clear();

        using var answers = run.Open(key, order, options: options);

        Assert.That((answers.InMemory, answers.Kept, answers.AugmentedViews), Is.EqualTo((place is "memory" or "loaded", kept, views)));
        Assert.That(run.Asked, Is.EqualTo(place is "loaded" or "mapped" ? [] : new long[] { 0 }));
        long[] rows = [0, 291, 5, 5, 292, 36, 37];
        for (var view = Math.Min(1, views); view <= views; view++)
            AssertAnswers(answers, order, rows, view, key);
    }

    private static void AssertAnswers(CachedOutputs answers, RowId[] order, long[] rows, int view, CacheFileKey key)
    {
        using var scope = NewDisposeScope();
        var output = answers.Of(tensor(rows), key.Kept, view);
        Assert.That(output.Available, Is.EqualTo(key.Kept));
        var outputs = new List<Tensor?> { null, null };
        if (key.Kept.HasFlag(ModelOutputs.Logits))
            outputs[0] = output.Logits;
        if (key.Kept.HasFlag(ModelOutputs.Embedding))
            outputs[1] = output.Embedding;
        if (key.Kept.HasFlag(ModelOutputs.StageFeatures))
            outputs.AddRange(output.StageFeatures);
        foreach (var (part, length, dimensions) in RecordToy.Parts(key.Kept))
        {
            Assert.That(outputs[part]!.shape, Is.EqualTo(dimensions.Prepend(rows.Length)));
            Assert.That(outputs[part]!.dtype, Is.EqualTo(ScalarType.Float32));
            var found = outputs[part]!.reshape(rows.Length, -1);
            for (var i = 0; i < rows.Length; i++)
            {
                var said = Enumerable.Range(0, length).Select(j => RecordToy.Value(order[rows[i]], view, part, j)).ToArray();
                var expected = part == 0 && key.TopK is { } k ? OfTopK(said, k, key.Precision) : [.. said.Select(v => Rounded(v, key.Precision))];
                var tolerance = part == 0 && key.TopK is not null ? 1e-5 : 0;
                Assert.That(found[i].data<float>().ToArray(), Is.EqualTo(expected).Within(tolerance));
            }
        }
    }

    // The k largest as they are; the others alike, so that their exponentials have the sum they had.
    private static float[] OfTopK(float[] said, int k, CachePrecision precision)
    {
        var least = said.OrderDescending().ElementAt(k - 1);
        var others = Math.Log(said.Where(v => v < least).Sum(v => Math.Exp(v)) / (said.Length - k));
        return [.. said.Select(v => v >= least ? Rounded(v, precision) : (float)others)];
    }

    private static float Rounded(float value, CachePrecision precision) => precision == CachePrecision.Half ? (float)(Half)value : value;
}
