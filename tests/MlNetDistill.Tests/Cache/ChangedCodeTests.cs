using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MlNetDistill.Cache;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Cache;

/// <summary>A custom mapping saves a name and no code: changed code leaves a model's bytes as they were.</summary>
public sealed class ChangedCodeTests : CachesInFolder
{
    private Func<float[], float[]> _code = RowsTeachers.Rule;

    [TestCase(null)]
    [TestCase("the rule")]
    public void A_cache_of_the_previous_code_is_not_used(string? cacheKey)
    {
        Fit(Mapped(cacheKey));
        _code = features => [.. RowsTeachers.Rule(features).Reverse()];
        var log = new RowsLog(Context);
        var after = Fit(Mapped(cacheKey));
        Assert.Multiple(() =>
        {
            Assert.That(after, Is.EqualTo(Fit(Mapped(cacheKey), new TeacherCacheOptions())), "as without a cache");
            Assert.That(log.Warnings, Has.Some.Contains("for 16 rows that were computed again, the teacher's probabilities differ by up to").And.Some.Contains("The teacher is queried again."));
            Assert.That(
                () => { _code = _ => [0.2f, 0.5f, 0.3f]; Fit(Mapped(cacheKey), In() with { Mode = CacheMode.UseOnly }); },
                Throws.InvalidOperationException.With.Message.Contains("for 16 rows that were computed again"));
        });
    }

    [Test]
    public void An_interrupted_cache_of_the_previous_code_is_not_continued()
    {
        var rows = Context.Keyed(Rows.Points(4800));
        using var cancellation = new CancellationTokenSource();
        var queried = 0;
        _code = features => Interlocked.Increment(ref queried) == 4000 ? Cancelled(features) : RowsTeachers.Rule(features);
        var options = Options(Mapped(null), In()) with { Epochs = 1 };
        Assert.That(() => Context.Fit(options with { CancellationToken = cancellation.Token }, rows), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Folder.Entries, Has.One.EndsWith(".partial"));
        _code = features => [.. RowsTeachers.Rule(features).Reverse()];
        var mixed = Context.Fit(options, rows).Scores(rows);
        Assert.That(mixed, Is.EqualTo(Context.Fit(options with { TeacherCache = new TeacherCacheOptions() }, rows).Scores(rows)));

        float[] Cancelled(float[] features)
        {
            cancellation.Cancel();
            return RowsTeachers.Rule(features);
        }
    }

    private Teacher Mapped(string? cacheKey)
    {
        Factory.Code = features => _code(features);
        return Teacher.FromTransformer(
            Context.Transforms.CustomMapping(new Factory().GetMapping(), nameof(Factory)).Fit(View), classNames: Rows.Classes, cacheKey: cacheKey);
    }

    public sealed class Seen
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    public sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }

    [CustomMappingFactoryAttribute(nameof(Factory))]
    private sealed class Factory : CustomMappingFactory<Seen, Answer>
    {
        public static Func<float[], float[]> Code { get; set; } = _ => [];

        public override Action<Seen, Answer> GetMapping() => (row, answer) => answer.Score = Code(row.Features);
    }
}
