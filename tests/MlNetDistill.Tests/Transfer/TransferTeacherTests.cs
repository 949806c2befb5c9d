using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

/// <summary>Transfer rows with teachers of every kind, and beside other options.</summary>
public sealed class TransferTeacherTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void An_ONNX_teacher_answers_from_the_students_features_and_from_a_column_of_its_own([Values(null, "Features")] string? column)
    {
        var irises = _context.Irises();
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(_context.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false)).Fit(irises).Transform(irises);
        var teacher = Teacher.FromOnnx(
            RealRows.PathOf("iris-mlp.onnx"), input: new TeacherInput { ColumnName = column }, classNames: ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]);
        var options = Rows.Quick(teacher) with
        {
            FeatureColumnName = column is null ? "Features" : "Scaled",
            TransferRows = TransferRows.Munge(2),
            CompareAlone = true,
            ValidationFraction = 0.2,
            Epochs = 20,
        };
        var model = _context.Fit(options, view);
        var right = model.Transform(view).GetColumn<uint>("PredictedLabel").Zip(view.GetColumn<uint>("Class"), (a, b) => a == b ? 1.0 : 0).Average();
        Assert.Multiple(() =>
        {
            Assert.That(right, Is.GreaterThan(0.9));
            Assert.That(model.Comparison!.Rows, Is.EqualTo(30));
            Assert.That(model.Model.Notes, Has.Some.Contains("240 rows without labels"));
        });
    }

    [Test]
    public void The_anchors_of_a_route_answer_all_rows([Values("trained", "fitted")] string kind)
    {
        var view = _context.Keyed(Rows.Points(120));
        var route = kind == "trained" ? Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 4) : Route.FromEstimators(("linear", _context.Regression()), ("trees", _context.Trees()));
        var model = _context.Fit(
            Rows.Quick(route) with { Method = DistillationMethod.Rco(), TransferRows = TransferRows.MarginalSwap(2), CompareAlone = true, ValidationFraction = 0.25 }, view);
        Assert.Multiple(() =>
        {
            Assert.That(model.AccuracyOn(Rows.Points(120), view), Is.GreaterThan(0.85));
            Assert.That(model.Alone!.Model.History, Has.Count.EqualTo(12));
            Assert.That(model.Comparison!.Agreement, Is.Not.Null);
        });
    }

    [Test]
    public void A_network_that_is_trained_in_the_fit_learns_from_labels_alone()
    {
        var view = _context.Keyed(Rows.Points(60));
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16), epochs: 4)) with { ValidationFraction = 0.2, Augmentations = [Augmentation.GaussianNoise(0.1f)] };
        var (with, without) = (_context.Fit(options with { TransferRows = TransferRows.Munge() }, view), _context.Fit(options, view));
        Assert.That(with.Teacher!.Scores(view), Is.EqualTo(without.Teacher!.Scores(view)));
    }

    [Test]
    public void A_custom_teacher_finds_no_label_in_a_made_up_row()
    {
        // A Boolean has no missing value, so the steps would make a class of it.
        var random = new Random(2);
        var rows = Enumerable.Range(0, 40).Select(i => new YesNo { Yes = i % 2 == 0, Features = [(i % 2) + random.NextSingle(), random.NextSingle()] }).ToArray();
        var view = _context.Data.LoadFromEnumerable(rows);
        var data = _context.Transforms.Conversion.MapValueToKey("Class", "Yes").Fit(view).Transform(view);
        var teacher = new Reader();
        _context.Fit(Rows.Quick(teacher) with { TransferRows = TransferRows.Munge(2), MinimumTeacherAccuracy = 0, Epochs = 1 }, data);
        Assert.That(teacher.Keys.Count(key => key == 0), Is.EqualTo(80));
    }

    [Test]
    public void Sampling_by_what_the_teacher_confuses_has_transfer_rows_and_the_student_alone_is_shuffled()
    {
        var view = _context.Keyed(Rows.Points(120));
        var model = _context.Fit(
            Rows.Quick(Teacher.FromEstimator(_context.Regression(), folds: 2)) with
            {
                Sampling = BatchSampling.SuperclassUniform(clusters: 4, instances: 4),
                TransferRows = TransferRows.Interpolate(2),
                CompareAlone = true,
                ValidationFraction = 0.25,
            },
            view);
        Assert.That(model.Alone!.AccuracyOn(Rows.Points(120), view), Is.GreaterThan(0.8));
    }

    [Test]
    public void Without_a_label_column_all_rows_are_answered_by_the_teacher()
    {
        var view = _context.Keyed(Rows.Points(90));
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(view));
        var bare = _context.Data.LoadFromEnumerable(Rows.Points(90).Select(p => new Bare { Features = p.Features }).ToArray());
        var model = _context.Fit(Rows.Quick(teacher) with { LabelColumnName = null, TransferRows = TransferRows.Munge(1), ValidationFraction = 0.2, Epochs = 20 }, bare);
        Assert.That(model.AccuracyOn(Rows.Points(90), view), Is.GreaterThan(0.85));
    }

    [Test]
    public void Transfer_rows_are_beside_weights_and_rows_without_labels()
    {
        var rows = Rows.Points(120);
        foreach (var (i, row) in rows.Index())
            (row.Label, row.Weight) = (i % 4 == 0 ? row.Label : "", i % 3 == 0 ? 2 : 1);
        var keys = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points()));
        var view = keys.Transform(_context.Data.LoadFromEnumerable(rows));
        var model = _context.Fit(
            Rows.Quick(_context.Saying(view, RowsTeachers.Rule)) with
            {
                ExampleWeightColumnName = "Weight",
                MissingLabels = MissingLabels.TeacherOnly,
                MinimumTeacherAccuracy = 0,
                TransferRows = TransferRows.Munge(1) with { Weight = 0.5 },
                CompareAlone = true,
                ValidationFraction = 0.2,
            },
            view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Alone!.Model.Notes, Has.Some.StartsWith("Trained on 24 labelled rows alone in as many steps"));
            Assert.That(model.Comparison!.Rows, Is.EqualTo(6));
        });
    }

    [Test]
    public void Augmented_views_of_transfer_rows_are_drawn_for_a_network_teacher([Values(0, 2)] int drawn)
    {
        var view = _context.Keyed(Rows.Points(60));
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16), epochs: 6)) with
        {
            Augmentations = [Augmentation.GaussianNoise(0.1f)],
            TransferRows = TransferRows.Munge(2),
            TeacherCache = new TeacherCacheOptions { AugmentedViews = drawn },
            CompareAlone = true,
        };
        Assert.That(_context.Fit(options, view).Scores(view), Is.EqualTo(_context.Fit(options, view).Scores(view)));
    }

    [Test]
    public void A_teacher_of_few_rows_is_judged_by_these_among_many_made_up_ones()
    {
        var log = new RowsLog(_context);
        var options = Rows.Quick(Teacher.FromOnnx(RealRows.PathOf("iris-mlp.onnx"), classNames: Rows.Classes)) with { TransferRows = TransferRows.Munge(2000), MinimumTeacherAccuracy = 0, Epochs = 1 };
        _context.Fit(options, _context.Keyed(Rows.Points(6)));
        Assert.That(log.Lines, Has.Some.Match(@"accuracy \d\.\d{4}, mean confidence \d\.\d{4}, on 6 training rows"));
    }

    private sealed class YesNo
    {
        public bool Yes { get; set; }

        [VectorType(2)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Bare
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    /// <summary>Reads the labels of the view that it is given.</summary>
    private sealed class Reader() : CustomTeacher("a reader of labels")
    {
        public uint[] Keys { get; private set; } = [];

        protected override StageTeacher Prepare(TeacherContext context)
        {
            Keys = [.. context.Data.GetColumn<uint>("Class")];
            return new Sum(context.Classes);
        }

        private sealed class Sum(int classes) : StageTeacher
        {
            public override OutputShapes Shapes { get; } = new(classes);

            public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => new(batch.Features);
        }
    }
}
