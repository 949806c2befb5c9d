using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>Trainings side by side in one process are those that each would be alone, bit for bit.</summary>
public sealed class ConcurrentFitsTests
{
    private static readonly int[] Seeds = [1, 3];
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public ConcurrentFitsTests() => _view = _context.Keyed(Rows.Points());

    /// <summary>Each round starts the trainings in another order, on another number of threads, and with pauses between their epochs, so that they meet in other places.</summary>
    [Test]
    [Category("NoCulture")]
    public void Every_method_at_once_gives_the_student_that_it_gives_alone()
    {
        var all = EveryMethod.All.Select((entry, i) => (entry.Name, Options: Options(i))).ToArray();
        var alone = all.ToDictionary(fit => fit.Name, fit => Fit(fit.Options));
        Assert.That(alone.Values.Select(scores => string.Join(' ', scores.SelectMany(row => row))), Is.Unique, "each method gives a student of its own");
        foreach (var seed in Seeds)
        {
            var order = new Random(seed);
            var fits = all.ToArray();
            order.Shuffle(fits);
            var pauses = fits.Select(_ => order.Next(20)).ToArray();
            var together = new float[fits.Length][][];
            Parallel.For(0, fits.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 + (3 * seed) }, i =>
                together[i] = Fit(fits[i].Options with { Progress = new Pausing(pauses[i]) }));
            Assert.Multiple(() =>
            {
                for (var i = 0; i < fits.Length; i++)
                    Assert.That(together[i], Is.EqualTo(alone[fits[i].Name]), $"{fits[i].Name}, order {seed}");
            });
        }
    }

    /// <summary>Models are loaded, scored with in three ways and disposed in an order by chance, while students are trained.</summary>
    [Test]
    public void Engines_scorers_and_models_that_are_disposed_in_any_order_disturb_neither_each_other_nor_a_training()
    {
        using var folder = new ToyFolder();
        var path = folder.File("student.zip");
        var student = _context.Fit(Rows.Quick(), _view);
        student.SaveAtomically(path);
        var (expected, row) = (student.Scores(_view), Rows.Points()[0]);
        var options = Options(0);
        var alone = Fit(options);

        Parallel.For(0, 24, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i =>
        {
            if (i % 4 == 0)
            {
                Assert.That(Fit(options), Is.EqualTo(alone));
                return;
            }

            var context = Rows.Context();
            var model = context.Loaded(File.ReadAllBytes(path), out var schema);
            var scorer = context.Model.CreateBatchScorer(model, schema);
            var engine = context.Model.CreatePredictionEngine<Point, Scored>(model, new PredictionEngineOptions { OwnsTransformer = false });
            var (score, all) = (engine.Predict(row).Score, scorer.Scores(_view));
            IDisposable[] held = [engine, scorer, (IDisposable)model, context.Model.CreatePredictionEngine<Point, Scored>(student)];
            new Random(i).Shuffle(held);
            foreach (var one in held)
                one.Dispose();
            Assert.That(score, Is.EqualTo(expected[0]));
            Assert.That(all, Is.EqualTo(expected));
        });
        Assert.That(student.Scores(_view), Is.EqualTo(expected), "engines were disposed that were made from it");
    }

    private static DistillationOptions Options(int index)
    {
        var method = EveryMethod.All[index].Method;
        return Rows.Quick(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 4)) with
        {
            Student = EveryMethod.StudentFor(method, NetworkSpec.Mlp(8), 16),
            Method = method,
            Augmentations = method.NeedsHardLabels ? [Augmentation.GaussianNoise(0.1)] : [Augmentation.GaussianNoise(0.1), Augmentation.Mixup(0.2)],
            Epochs = 4,
            MinimumTeacherAccuracy = 0,
            Seed = 100 + index,
        };
    }

    private float[][] Fit(DistillationOptions options) => _context.Fit(options, _view).Scores(_view);

    private sealed class Pausing(int milliseconds) : IProgress<MlNetDistill.Training.TrainingProgress>
    {
        public void Report(MlNetDistill.Training.TrainingProgress value) => Thread.Sleep(milliseconds);
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}
