using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MlNetDistill.Cache;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Records;

/// <summary>A custom mapping saves a name and no code: changed code leaves a model's bytes as they were.</summary>
public sealed class ChangedCodeTests : RecordsInFolder
{
    private Func<float[], float[]> _code = RowsTeachers.Rule;

    [TestCase(null)]
    [TestCase("the rule")]
    public void A_record_of_the_code_before_is_not_used(string? identity)
    {
        Fit(Mapped(identity));
        _code = features => [.. RowsTeachers.Rule(features).Reverse()];
        var log = new RowsLog(Context);
        var after = Fit(Mapped(identity));
        Assert.Multiple(() =>
        {
            Assert.That(after, Is.EqualTo(Fit(Mapped(identity), new TeacherCacheOptions())), "as without a record");
            Assert.That(log.Warnings, Has.Some.Contains("for 16 rows that were computed again, the teacher's probabilities differ by up to").And.Some.Contains("The teacher is asked again."));
            Assert.That(
                () => { _code = _ => [0.2f, 0.5f, 0.3f]; Fit(Mapped(identity), In() with { Mode = CacheMode.UseOnly }); },
                Throws.InvalidOperationException.With.Message.Contains("for 16 rows that were computed again"));
        });
    }

    [Test]
    public void An_interrupted_record_of_the_code_before_is_not_gone_on_with()
    {
        var rows = Context.Keyed(Rows.Points(4800));
        using var cancellation = new CancellationTokenSource();
        var asked = 0;
        _code = features => Interlocked.Increment(ref asked) == 4000 ? Cancelled(features) : RowsTeachers.Rule(features);
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

    private Teacher Mapped(string? identity)
    {
        Factory.Code = features => _code(features);
        return Teacher.FromTransformer(
            Context.Transforms.CustomMapping(new Factory().GetMapping(), nameof(Factory)).Fit(View), classNames: Rows.Classes, cacheKey: identity);
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
