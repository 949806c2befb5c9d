using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class SamplingTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Class_uniform_batches_train_a_student_from_unbalanced_rows()
    {
        var view = _context.Keyed(Rows.Points().Where((_, i) => i % 3 == 0 || i % 12 == 1 || i % 24 == 2));
        var test = Rows.Points(90, seed: 6);
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16), epochs: 20)) with { Sampling = BatchSampling.ClassUniform(8), Epochs = 20 };
        var scores = _context.Fit(options, view).Scores(view);
        Assert.Multiple(() =>
        {
            Assert.That(_context.Fit(options, view).AccuracyOn(test, _context.Keyed(test)), Is.GreaterThan(0.9));
            Assert.That(_context.Fit(options, view).Scores(view), Is.EqualTo(scores), "same seed");
            Assert.That(_context.Fit(options with { Sampling = BatchSampling.Shuffled() }, view).Scores(view), Is.Not.EqualTo(scores));
        });
    }

    [Test]
    public void Superclass_uniform_batches_go_by_any_teacher_and_need_no_labels()
    {
        var view = HalfLabelled();
        foreach (var teacher in new[] { Teacher.Train(NetworkSpec.Mlp(16)), _context.Saying(view, RowsTeachers.Rule) })
        {
            var options = Rows.Quick(teacher) with
            {
                Sampling = BatchSampling.SuperclassUniform(3, 8),
                MissingLabels = MissingLabels.TeacherOnly,
                MinimumTeacherAccuracy = 0,
            };
            Assert.That(_context.Fit(options, view).Scores(view), Is.EqualTo(_context.Fit(options, view).Scores(view)));
        }
    }

    public static IEnumerable<TestCaseData> MethodsAndSamplings() =>
        from method in new[] { DistillationMethod.Cckd(), DistillationMethod.Sskd(), DistillationMethod.Rco() }
        from sampling in new[] { BatchSampling.ClassUniform(8), BatchSampling.SuperclassUniform(2, 8) }
        select new TestCaseData(method, sampling).SetArgDisplayNames(method.Name, sampling.GetType().Name);

    /// <summary>Over stages with new teachers, with the same, and with none; and with augmentation beside.</summary>
    [TestCaseSource(nameof(MethodsAndSamplings))]
    public void Batches_of_a_kind_serve_every_method(DistillationMethod method, BatchSampling sampling)
    {
        var view = _context.Keyed(Picture.Some());
        var network = NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 2, 2, 2, 2);
        var options = Rows.Quick(method.NeedsRoute ? Route.Train(network, every: 1, epochs: 2) : Teacher.Train(network, epochs: 1)) with
        {
            Method = method,
            Student = network,
            Sampling = sampling,
            Augmentations = [Augmentation.RandomCrop(1), Augmentation.Mixup()],
            MinimumTeacherAccuracy = 0,
            ValidationFraction = 0.25,
            Epochs = 4,
        };
        var scores = _context.Fit(options, view).Scores(view);
        Assert.That(_context.Fit(options, view).Scores(view), Is.EqualTo(scores));
        Assert.That(_context.Fit(options with { Sampling = BatchSampling.Shuffled() }, view).Scores(view), Is.Not.EqualTo(scores));
    }

    [Test]
    public void Clusters_of_scores_do_not_depend_on_a_constant_added_to_them()
    {
        float[] Shifted(float[] features) => [.. RowsTeachers.Rule(features).Select(p => MathF.Log(p) + 100)];
        float[][] Scores(Func<float[], float[]> teacher)
        {
            var view = _context.Keyed(Rows.Points());
            var options = Rows.Quick(_context.Saying(view, teacher, ScoreKind.Logits)) with
            {
                Sampling = BatchSampling.SuperclassUniform(3, 8),
                MinimumTeacherAccuracy = 0,
            };
            return _context.Fit(options, view).Scores(view);
        }

        var plain = Scores(features => [.. RowsTeachers.Rule(features).Select(p => MathF.Log(p))]);
        var differences = Scores(Shifted).Zip(plain, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max());
        Assert.That(differences.Max(), Is.LessThan(1e-3), "equal but for rounding");
    }

    [Test]
    public void Class_uniform_batches_refuse_rows_that_only_a_teacher_could_teach()
    {
        var progress = new RowsProgress();
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16))) with
        {
            Sampling = BatchSampling.ClassUniform(8),
            MissingLabels = MissingLabels.TeacherOnly,
            Progress = progress,
        };
        Assert.That(() => _context.Fit(options, HalfLabelled()), Throws.InvalidOperationException.With.Message.EqualTo(
            "Class-uniform batches need labels, but 120 of the 240 training rows have none. " +
            "Use BatchSampling.SuperclassUniform, which uses the teacher's outputs instead, or leave these rows out: of a classifier, MissingLabels.Drop does."));
        Assert.That(progress.Reports, Is.Empty, "before the teacher is trained");
    }

    [Test]
    public void Faults_are_named_when_the_trainer_is_made()
    {
        Refuses(
            Rows.Quick() with { Sampling = BatchSampling.ClassUniform(7) },
            "ClassUniform's instances must divide the BatchSize; 16 is not a multiple of 7. (Parameter 'options')");
        Refuses(
            Rows.Quick() with { Sampling = BatchSampling.SuperclassUniform(10) },
            "BatchSampling.SuperclassUniform uses the teacher's outputs, and the method labels only asks no teacher; use another Sampling. " +
            "(Parameter 'options')");
    }

    private IDataView HalfLabelled()
    {
        var rows = Rows.Points();
        for (var i = 1; i < rows.Length; i += 2)
            rows[i].Label = "unknown";
        var toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        return toKey.Transform(_context.Data.LoadFromEnumerable(rows));
    }

    private static void Refuses(DistillationOptions options, string message) => Assert.That(
        () => new MLContext().MulticlassClassification.Trainers.Distill(options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(message));
}
