using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>The preflight, the recognition of scores and the cache share a model's outputs: no row is queried twice.</summary>
public sealed class ModuleQueriedOnceTests
{
    private const int Rows2000 = 2000;

    private readonly MLContext _context = Rows.Context();
    private IDataView _view = null!;
    private ToyFolder _folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = new ToyFolder();
        _view = _context.Keyed(Rows.Points(Rows2000));
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase(128)]
    [TestCase(16)]
    [TestCase(700)]
    [TestCase(2000)]
    public void A_module_is_queried_once_for_each_row_and_for_16_rows_with_a_cache(int batchSize)
    {
        using var module = new Counting();
        var options = Options(module) with { BatchSize = batchSize };
        var first = _context.Fit(options, _view).Scores(_view);
        var cold = module.Take();
        var second = _context.Fit(options, _view).Scores(_view);
        var warm = module.Take();
        var inMemory = _context.Fit(options with { TeacherCache = new TeacherCacheOptions() }, _view).Scores(_view);
        Assert.Multiple(() =>
        {
            Assert.That((cold.Rows, cold.Distinct), Is.EqualTo((Rows2000, Rows2000)));
            Assert.That((warm.Rows, warm.Distinct), Is.EqualTo((16, 16)));
            Assert.That(module.Take().Rows, Is.EqualTo(Rows2000), "in memory too");
            Assert.That(second, Is.EqualTo(first));
            Assert.That(inMemory, Is.EqualTo(first));
        });
    }

    [Test]
    public void Members_of_an_ensemble_and_anchors_of_a_route_are_queried_once()
    {
        using var module = new Counting();
        using var other = new Counting();
        var teachers = new[] { CreateTeacher(module, "one"), CreateTeacher(other, "two") };
        _context.Fit(Options(module) with { Teacher = Teacher.Ensemble(teachers) }, _view);
        var (one, two) = (module.Take().Rows, other.Take().Rows);
        _context.Fit(
            Options(module) with
            {
                Teacher = Route.FromTeachers(("one", teachers[0]), ("two", teachers[1])),
                Method = DistillationMethod.Rco(),
                TeacherCache = new TeacherCacheOptions(),
            },
            _view);
        Assert.That((one, two, module.Take().Rows, other.Take().Rows), Is.EqualTo((Rows2000, Rows2000, Rows2000, Rows2000)));
    }

    [Test]
    public void Scores_of_a_teacher_are_computed_once()
    {
        using var module = new Counting();
        _context.MulticlassClassification.Trainers.Distill(Options(module) with { TeacherCache = new TeacherCacheOptions() }).ScoreTeacher(_view);
        Assert.That(module.Take().Rows, Is.EqualTo(Rows2000));
    }

    [Test]
    public void An_interrupted_run_is_continued_without_repeated_queries()
    {
        using var module = new Counting();
        using var cancellation = new CancellationTokenSource();
        var options = Options(module);
        module.After = (1500, cancellation.Cancel);
        Assert.That(() => _context.Fit(options with { CancellationToken = cancellation.Token }, _view), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_folder.Entries, Has.One.EndsWith(".partial"));
        var before = module.Take().Rows;
        module.After = (int.MaxValue, () => { });
        var resumed = _context.Fit(options, _view).Scores(_view);
        Assert.Multiple(() =>
        {
            // The block that was being written, and the rows queried again.
            Assert.That(module.Take().Rows, Is.LessThanOrEqualTo(Rows2000 - before + 1024 + 16));
            Assert.That(resumed, Is.EqualTo(_context.Fit(options with { TeacherCache = new TeacherCacheOptions() }, _view).Scores(_view)));
        });
    }

    [Test]
    public void An_earlier_anchor_whose_scores_could_be_several_things_is_refused_before_anything_is_trained()
    {
        using var module = new Counting();
        using var vague = new Vague();
        var options = Options(module) with
        {
            Teacher = Route.FromTeachers(("one", Teacher.FromModule(vague, classNames: Rows.Classes)), ("two", CreateTeacher(module))),
            Method = DistillationMethod.Rco(),
        };
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Fit(options, _view), Throws.InvalidOperationException.With.Message.Contains("may hold probabilities or logits"));
            Assert.That(() => _context.MulticlassClassification.Trainers.Distill(options).Preflight(_view), Throws.InvalidOperationException);
            Assert.That(module.Take().Rows, Is.LessThanOrEqualTo(512));
        });
    }

    private static Teacher CreateTeacher(Counting module, string? cacheKey = null) => Teacher.FromModule(module, classNames: Rows.Classes, cacheKey: cacheKey);

    private DistillationOptions Options(Counting module) => Rows.Quick(CreateTeacher(module)) with
    {
        TeacherCache = new TeacherCacheOptions { Folder = _folder.Path },
        MinimumTeacherAccuracy = 0,
        BatchSize = 128,
        Epochs = 2,
    };

    /// <summary>A fixed linear model that counts the rows of data that it sees; the made-up ones that it is tried with are others.</summary>
    private sealed class Counting : nn.Module<Tensor, Tensor>
    {
        private static readonly HashSet<string> Data = [.. Rows.Points(Rows2000).Select(row => Key(row.Features))];
        private readonly List<string> _seen = [];

        public Counting()
            : base("counting")
        {
        }

        public (int Count, Action Then) After { get; set; } = (int.MaxValue, () => { });

        public (int Rows, int Distinct) Take()
        {
            var taken = (_seen.Count, _seen.Distinct().Count());
            _seen.Clear();
            return taken;
        }

        public override Tensor forward(Tensor input)
        {
            _seen.AddRange(input.data<float>().ToArray().Chunk(4).Select(Key).Where(Data.Contains));
            if (_seen.Count >= After.Count)
                After.Then();
            return input.narrow(1, 0, 3).mul(-3);
        }

        private static string Key(float[] row) => string.Join(' ', row.Select(BitConverter.SingleToInt32Bits));
    }

    private sealed class Vague() : nn.Module<Tensor, Tensor>("vague")
    {
        public override Tensor forward(Tensor input) => input.narrow(1, 0, 3).sigmoid();
    }
}
