using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Records;

/// <summary>Answers belong to row ids: in another order, twice, or missing.</summary>
public sealed class JoinTests
{
    private static readonly RowId[] Three = [new(0, 0), new(1, 0), new(2, 0)];

    private RecordRun _run = null!;

    [SetUp]
    public void MakeFolder() => _run = new RecordRun();

    [TearDown]
    public void RemoveFolder() => _run.Dispose();

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("loaded")]
    [TestCase("mapped")]
    public void The_same_answer_twice_does_no_harm(string place)
    {
        using var answers = Open(place, [0, 1, 2, 1], [0, 10, 20, 10]);
        Assert.That(First(answers, 2, 1, 0), Is.EqualTo(new double[] { 20, 10, 0 }));
    }

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("loaded")]
    [TestCase("mapped")]
    public void Two_different_answers_for_one_row_are_refused(string place) => Assert.That(
        () => Open(place, [0, 1, 2, 1], [0, 10, 20, 11]),
        Throws.InvalidOperationException.With.Message.EqualTo("The teacher answered row id 1 twice, differently. Row ids must be unique."));

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("loaded")]
    [TestCase("mapped")]
    public void A_row_the_teacher_did_not_answer_is_named(string place) => Assert.That(() => Open(place, [2, 0], [20, 0]), Throws.InvalidOperationException.With.Message.EqualTo(
        "The teacher gave no answer for row id 1 (training row 1); its data view must hold the rows of the training data."));

    [TestCase("memory")]
    [TestCase("mapped")]
    public void A_row_may_be_asked_for_at_two_positions(string place)
    {
        using var answers = Open(place, [2, 0, 1], [20, 0, 10], [.. Three, Three[2]]);
        Assert.That(First(answers, 3, 2, 1, 0), Is.EqualTo(new double[] { 20, 20, 10, 0 }));
    }

    [Test]
    public void A_row_id_is_both_of_its_halves()
    {
        RowId[] ids = [new(1, 1), new(1, 0)];
        using var answers = _run.Open(Key(2), [new(1, 0), new(1, 1)], options: new(), answers: _ => [Chunk(ids, [5, 6])]);
        Assert.That(First(answers, 0, 1), Is.EqualTo(new double[] { 6, 5 }));
    }

    [Test]
    public void Views_in_different_orders_are_refused()
    {
        var key = RecordToy.Key(3, views: 2);
        var turned = RecordToy.Answers(key, RecordToy.Ids(3), 0, 3).Take(1).Concat(RecordToy.Answers(key, [.. RecordToy.Ids(3).Reverse()], 3, 3));
        Assert.That(() => _run.Open(key, answers: _ => turned), Throws.InvalidOperationException.With.Message.EqualTo(
            "Row 0 of view 2 is row id 2-3ea, of view 1 row id 1000; all views must have one order."));
    }

    private static CacheFileKey Key(int rows) => RecordToy.Key(rows) with { Shapes = new OutputShapes(2) };

    private static OutputChunk Chunk(RowId[] ids, float[] first) => new(ids, [stack([tensor(first), zeros(first.Length)], 1)]);

    private CachedOutputs Open(string place, ulong[] ids, float[] first, RowId[]? order = null)
    {
        var options = new TeacherCacheOptions
        {
            Folder = place is "memory" or "file" ? null : _run.Folder,
            MemoryLimit = place is "memory" or "loaded" ? 1 << 20 : 0,
        };
        return _run.Open(Key(ids.Length), order ?? Three, options: options, answers: _ => [Chunk([.. ids.Select(id => new RowId(id, 0))], first)]);
    }

    private static double[] First(CachedOutputs answers, params long[] positions)
    {
        using var scope = NewDisposeScope();
        return Near.Values(answers.Of(tensor(positions), ModelOutputs.Logits).Logits.select(1, 0));
    }

}
