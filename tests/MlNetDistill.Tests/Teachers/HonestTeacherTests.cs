using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>A teacher is better on rows that it was trained on; what is said of it must not come from these rows without a word.</summary>
public sealed class HonestTeacherTests
{
    private MLContext _context = null!;
    private RowsLog _log = null!;
    private IDataView _view = null!;

    /// <summary>Labels drawn at random: whoever is right about a row has it by heart.</summary>
    [SetUp]
    public void RandomLabels()
    {
        _context = Rows.Context();
        _log = new RowsLog(_context);
        var random = new Random(8);
        _view = _context.Keyed(Rows.Points(180).Select((p, i) =>
        {
            (p.Label, p.Held) = (Rows.Classes[random.Next(3)], i % 3 == 0);
            return p;
        }));
    }

    [Test]
    public void A_pipeline_fitted_in_the_fit_does_not_see_the_held_out_rows()
    {
        var model = _context.Fit(Options(Teacher.FromEstimator(Memory())) with { ValidationColumnName = "Held" }, _view);
        var scored = model.Teacher!.Transform(_view);
        var right = scored.GetColumn<uint>("Class").Zip(scored.GetColumn<float[]>("Score"), (label, scores) => label == 1 + Array.IndexOf(scores, scores.Max()));
        var (held, trained) = (Share(right.Where((_, i) => i % 3 == 0)), Share(right.Where((_, i) => i % 3 != 0)));
        Assert.Multiple(() =>
        {
            Assert.That(trained, Is.GreaterThan(0.9));
            Assert.That(held, Is.LessThan(0.6), "chance is a third");
            Assert.That(_log.Lines, Has.One.EqualTo("Fitting the teacher, without the 60 held-out rows."));
            Assert.That(_log.Lines, Has.One.EqualTo(FormattableString.Invariant($"On the 60 held-out rows among them it is {held:0.0000}.")));
            Assert.That(_log.Lines, Has.None.Contains("this accuracy is too high"));
        });
    }

    [Test]
    public void Without_held_out_rows_the_accuracy_of_a_pipeline_is_called_too_high()
    {
        _context.Fit(Options(Teacher.FromEstimator(Memory())), _view);
        Assert.That(_log.Lines, Has.Some.EqualTo(
            "It is trained on these rows, so this accuracy is too high. To see its accuracy on new rows, hold rows out (ValidationFraction or ValidationColumnName)."));
    }

    [Test]
    public void Out_of_fold_every_row_is_new_to_its_teacher()
    {
        _context.Fit(Options(Teacher.FromEstimator(Memory(), folds: 2)), _view);
        Assert.That(_log.Lines, Has.None.Contains("this accuracy is too high"));
    }

    [Test]
    public void A_network_trained_in_the_fit_is_judged_on_rows_that_it_has_not_seen()
    {
        _context.Fit(Options(Teacher.Train(NetworkSpec.Mlp(8))) with { ValidationColumnName = "Held" }, _view);
        Assert.That(_log.Lines, Has.Some.Match(@"^On the 60 held-out rows among them it is 0\.\d{4}\.$").And.None.Contains("this accuracy is too high"));
    }

    [TestCase(1, "These are most likely rows that the teacher was trained on, so this accuracy is too high.")]
    [TestCase(20, "If these are rows that the teacher was trained on, this accuracy is too high.")]
    public void A_model_fitted_elsewhere_may_know_the_rows(int leastRowsOfALeaf, string expected)
    {
        var report = Trainer(Teacher.FromTransformer(Memory(leastRowsOfALeaf).Fit(_view))).Preflight(_view);
        Assert.That($"{report}", Does.Contain(
            $"{expected} To see its accuracy on new rows, keep the held-out rows from its training, or let the fit do both (Teacher.FromEstimator with ValidationFraction)."));
    }

    [Test]
    public void Outputs_kept_in_a_folder_are_those_of_the_same_held_out_rows()
    {
        using var folder = new ToyFolder();
        DistillationOptions Held(double fraction) => Options(Teacher.FromEstimator(Memory(), cacheKey: "memory")) with
        {
            ValidationFraction = fraction,
            TeacherCache = new() { Folder = folder.Path },
        };
        _context.Fit(Held(0.25), _view);
        _context.Fit(Held(0.5), _view);
        _context.Fit(Held(0.5), _view);
        Assert.That(_log.Lines.Where(line => line.StartsWith("Fitting the teacher, without", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            "Fitting the teacher, without the 45 held-out rows.", "Fitting the teacher, without the 90 held-out rows.",
        }));
    }

    [Test]
    public void A_wide_student_of_a_linear_teacher_is_warned_of()
    {
        var random = new Random(3);
        var rows = Enumerable.Range(0, 90).Select(i => new Wide { Label = Rows.Classes[i % 3], Features = [.. Enumerable.Range(0, 800).Select(f => (f % 3 == i % 3 ? 1 : 0) + random.NextSingle())] });
        var view = _context.Keyed(rows);
        var linear = _context.Regression().Fit(view);
        var trainer = _context.MulticlassClassification.Trainers.Distill(Options(Teacher.FromTransformer(linear)) with { Student = NetworkSpec.Mlp(64) });
        var report = trainer.Preflight(view);
        var model = trainer.Fit(view);
        using var zip = new MemoryStream();
        _context.Model.Save(linear, view.Schema, zip);
        var parameters = (801 * 64) + (65 * 3);
        Assert.Multiple(() =>
        {
            Assert.That(report.StudentModelBytes, Is.EqualTo(4 * parameters));
            Assert.That(report.TeacherModelBytes, Is.EqualTo(zip.Length).Within(2000), "a zip written without seeking has some bytes more");
            Assert.That(report.TeacherIsLinear, Is.True);
            Assert.That(report.StudentTimePerRow, Is.GreaterThan(TimeSpan.Zero));
            var warning = report.Warnings.Single(w => w.StartsWith("The student will be larger than its teacher: about 201.0 KiB (its parameters, 4 bytes each) and the saved teacher ", StringComparison.Ordinal));
            Assert.That(warning, Does.EndWith(
                "Give the student fewer features than these 800 (hash or project them) or a smaller hidden layer; or use the teacher itself: a linear model is small and fast, and needs no distillation."));
            Assert.That(report.Advice, Has.Some.EqualTo("use the teacher itself: it is linear, so it needs no distillation"));
            Assert.That($"{report}", Does.Contain("advice   use the teacher itself").And.Contain(", a linear model"));
            Assert.That(model.Model.Warnings, Has.Some.EqualTo(warning));
        });
    }

    private static IEnumerable<TestCaseData> Linear()
    {
        var trainers = new MLContext(1).MulticlassClassification.Trainers;
        var binary = new MLContext(1).BinaryClassification.Trainers;
        yield return Case("L-BFGS", trainers.LbfgsMaximumEntropy("Class"), true);
        yield return Case("SDCA", trainers.SdcaMaximumEntropy("Class"), true);
        yield return Case("SDCA without probabilities", trainers.SdcaNonCalibrated("Class"), true);
        yield return Case("one-versus-all perceptrons", trainers.OneVersusAll(binary.AveragedPerceptron("Class"), "Class"), true);
        yield return Case("one-versus-all regressions", trainers.OneVersusAll(binary.LbfgsLogisticRegression("Class"), "Class"), true);
        yield return Case("one-versus-all trees", trainers.OneVersusAll(binary.FastTree("Class", numberOfTrees: 2), "Class"), false);
        yield return Case("naive Bayes", trainers.NaiveBayes("Class"), false);

        static TestCaseData Case(string name, IEstimator<ITransformer> estimator, bool isLinear) => new TestCaseData(estimator, isLinear).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Linear))]
    public void Linear_models_are_recognised(IEstimator<ITransformer> estimator, bool isLinear)
    {
        var view = _context.Keyed(Rows.Points(120));
        var trainer = Trainer(Teacher.FromTransformer(estimator.Fit(view), scoreKind: estimator is Microsoft.ML.Trainers.SdcaNonCalibratedMulticlassTrainer ? ScoreKind.Margins : ScoreKind.Auto));
        Assert.That(trainer.Preflight(view).TeacherIsLinear, Is.EqualTo(isLinear));
    }

    [Test]
    public void A_student_slower_than_its_teacher_is_warned_of()
    {
        var view = _context.Keyed(Rows.Points(60));
        var trainer = _context.MulticlassClassification.Trainers.Distill(
            Options(_context.Saying(view, RowsTeachers.Rule)) with { Student = NetworkSpec.Mlp(1024, 1024, 1024) });
        var report = trainer.Preflight(view);
        Assert.Multiple(() =>
        {
            Assert.That(report.StudentTimePerRow, Is.GreaterThan(report.Teacher!.TimePerRow));
            Assert.That(report.Warnings, Has.Some.Match("^The student will be slower than its teacher: about [0-9.,]+ µs for a row of a batch on this machine's CPU and the teacher [0-9.,]+ µs\\. Give the student fewer features than these 4 "));
            Assert.That(report.Advice, Has.Some.EqualTo("take a smaller student, or the teacher itself"));
            Assert.That(report.TeacherModelBytes, Is.Null, "a custom mapping without a contract cannot be saved");
        });
    }

    [Test]
    public void The_size_of_a_teacher_from_a_file_is_that_of_its_file()
    {
        var path = RealRows.PathOf("iris-mlp.onnx");
        var report = Trainer(Teacher.FromOnnx(path, classNames: Rows.Classes)).Preflight(_view);
        Assert.That(report.TeacherModelBytes, Is.EqualTo(new FileInfo(path).Length));
    }

    private static double Share(IEnumerable<bool> right) => right.Average(r => r ? 1.0 : 0);

    private static DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0, Epochs = 2 };

    private DistillationTrainer Trainer(Teacher teacher) => _context.MulticlassClassification.Trainers.Distill(Options(teacher));

    /// <summary>Trees that remember every row if a leaf may have one row.</summary>
    private IEstimator<ITransformer> Memory(int leastRowsOfALeaf = 1) => _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
        .Append(_context.MulticlassClassification.Trainers.OneVersusAll(
            _context.BinaryClassification.Trainers.FastTree("TeacherClass", numberOfLeaves: 64, numberOfTrees: 40, minimumExampleCountPerLeaf: leastRowsOfALeaf), "TeacherClass"));

    private sealed class Wide
    {
        public string Label { get; set; } = "";

        [VectorType(800)]
        public float[] Features { get; set; } = [];
    }
}
