using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Cache;

/// <summary>With a cache the teacher is queried for 16 rows again; if the cache must not be continued, for all rows.</summary>
public sealed class QueriedOnceTests
{
    private readonly MLContext _context = Rows.Context();
    private ToyFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Greedy_search_does_not_pass_over_the_data_for_each_batch()
    {
        var view = _context.Keyed(Rows.Points());
        var queried = new int[3];
        Teacher Sure(int i) => Teacher.FromTransformer(
            _context.Says(view, features =>
            {
                Interlocked.Increment(ref queried[i]);
                return [.. RowsTeachers.Rule(features).Select(p => (p * (i + 1) / 3) + ((2 - i) / 9f))];
            }),
            classNames: Rows.Classes,
            cacheKey: $"rule {i}");
        var options = Options(Route.FromTeachers(("a", Sure(0)), ("b", Sure(1)), ("c", Sure(2)))) with
        {
            Method = DistillationMethod.Rco(anchors: AnchorSelection.Greedy(1.01)),
            ValidationFraction = 0.5,
        };
        var first = _context.Fit(options, view).Scores(view);
        var cold = queried.ToArray();
        var second = _context.Fit(options, view).Scores(view);
        Assert.Multiple(() =>
        {
            Assert.That(cold, Is.All.AtMost(240));
            Assert.That(queried, Is.EqualTo(cold.Select(rows => rows + 16)), "with a cache, 16 rows are queried again");
            Assert.That(second, Is.EqualTo(first));
        });
    }

    [Test]
    public void A_pipeline_that_is_fitted_again_does_not_continue_the_cache_of_another_fit()
    {
        var view = _context.Keyed(Rows.Points(4800));
        using var cancellation = new CancellationTokenSource();
        var queried = 0;
        var pipeline = _context.Regression().Append(_context.Transforms.CustomMapping<Answer, Answer>(
            (row, answer) =>
            {
                answer.Score = row.Score;
                if (Interlocked.Increment(ref queried) == 4000)
                    cancellation.Cancel();
            },
            null));
        var options = Options(Teacher.FromEstimator(pipeline, cacheKey: "regression", classNames: Rows.Classes));
        Assert.That(() => _context.Fit(options with { CancellationToken = cancellation.Token }, view), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_folder.Entries, Has.One.EndsWith(".partial"));
        queried = 10_000;
        var log = new RowsLog(_context);
        _context.Fit(options, view);
        Assert.Multiple(() =>
        {
            Assert.That(queried - 10_000, Is.EqualTo(4800));
            Assert.That(log.Lines, Has.None.Contains("is continued"));
            Assert.That(_folder.Entries, Has.None.EndsWith(".partial"));
        });
    }

    private DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with
    {
        TeacherCache = new TeacherCacheOptions { Folder = _folder.Path },
        MinimumTeacherAccuracy = 0,
        Epochs = 1,
    };

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
