using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Models of binary classification, which give one number a row, as teachers of two classes.</summary>
public sealed class BinaryTeacherTests
{
    private static readonly (string Name, Func<BinaryClassificationCatalog.BinaryClassificationTrainers, IEstimator<ITransformer>> Create)[] Calibrated =
    [
        ("FastTree", t => t.FastTree(numberOfLeaves: 4, numberOfTrees: 10, minimumExampleCountPerLeaf: 2)),
        ("LightGbm", t => t.LightGbm(numberOfLeaves: 4, minimumExampleCountPerLeaf: 2, numberOfIterations: 10)),
        ("Lbfgs", t => t.LbfgsLogisticRegression()),
        ("Sdca", t => t.SdcaLogisticRegression()),
    ];

    private static readonly (string Name, Func<BinaryClassificationCatalog.BinaryClassificationTrainers, IEstimator<ITransformer>> Create)[] Uncalibrated =
    [
        ("FastForest", t => t.FastForest(numberOfLeaves: 4, numberOfTrees: 10, minimumExampleCountPerLeaf: 2)),
        ("LinearSvm", t => t.LinearSvm()),
        ("AveragedPerceptron", t => t.AveragedPerceptron()),
        ("SdcaNonCalibrated", t => t.SdcaNonCalibrated()),
    ];

    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public BinaryTeacherTests() => _view = Keyed(Flags(200));

    public static IEnumerable<TestCaseData> WithProbability() => Calibrated.Select(t => new TestCaseData(t.Create).SetArgDisplayNames(t.Name));

    public static IEnumerable<TestCaseData> WithScoreAlone() => Uncalibrated.Select(t => new TestCaseData(t.Create).SetArgDisplayNames(t.Name));

    [TestCaseSource(nameof(WithProbability))]
    public void A_calibrated_model_teaches_by_its_probability(Func<BinaryClassificationCatalog.BinaryClassificationTrainers, IEstimator<ITransformer>> trainer)
    {
        var model = trainer(_context.BinaryClassification.Trainers).Fit(_view);
        var probabilities = model.Transform(_view).GetColumn<float>("Probability").ToArray();
        var log = new RowsLog(_context);
        var scored = _context.MulticlassClassification.Trainers.Distill(Options(Teacher.FromTransformer(model))).ScoreTeacher(_view);
        var said = scored.GetColumn<float[]>("TeacherScore").ToArray();
        // Row 0 is true, so the key's classes are true, false.
        Assert.Multiple(() =>
        {
            Assert.That(said.Select(s => s[0]), Is.EqualTo(probabilities).Within(1e-5));
            Assert.That(said.Select(s => s[1]), Is.EqualTo(probabilities.Select(p => 1 - p)).Within(1e-5));
            Assert.That(log.Lines, Has.One.EqualTo("The teacher has two classes: its column 'Probability' is taken as the probability of 'true'."));
        });
    }

    [TestCaseSource(nameof(WithScoreAlone))]
    public void A_model_that_is_not_calibrated_teaches_by_the_sigmoid_of_its_score_where_that_is_said(
        Func<BinaryClassificationCatalog.BinaryClassificationTrainers, IEstimator<ITransformer>> trainer)
    {
        var model = trainer(_context.BinaryClassification.Trainers).Fit(_view);
        var scores = model.Transform(_view).GetColumn<float>("Score").ToArray();
        float[] Said(ScoreKind kind) => [.. _context.MulticlassClassification.Trainers.Distill(Options(Teacher.FromTransformer(model, scoreKind: kind)))
            .ScoreTeacher(_view).GetColumn<float[]>("TeacherScore").Select(s => s[0])];
        var sigmoid = scores.Select(s => (float)(1 / (1 + Math.Exp(-s))));
        Assert.Multiple(() =>
        {
            Assert.That(Said(ScoreKind.Margins), Is.EqualTo(sigmoid).Within(1e-5));
            Assert.That(Said(ScoreKind.Logits), Is.EqualTo(sigmoid).Within(1e-5));
            Assert.That(() => Said(ScoreKind.Auto), Throws.InvalidOperationException.With.Message.Contains(
                "The teacher's column 'Score' holds one number per row, and it is unknown what the number means. If it is the score of an uncalibrated binary model, set scoreKind to Margins"));
        });
    }

    [Test]
    public void A_calibrator_after_a_model_gives_its_probability()
    {
        var catalog = _context.BinaryClassification;
        var model = catalog.Trainers.LinearSvm().Append(catalog.Calibrators.Platt()).Fit(_view);
        var said = _context.MulticlassClassification.Trainers.Distill(Options(Teacher.FromTransformer(model))).ScoreTeacher(_view).GetColumn<float[]>("TeacherScore");
        Assert.That(said.Select(s => s[0]), Is.EqualTo(model.Transform(_view).GetColumn<float>("Probability")).Within(1e-5));
    }

    [Test]
    public void A_student_of_two_classes_learns_from_it_and_is_evaluated_beside_it()
    {
        var model = _context.BinaryClassification.Trainers.FastTree(numberOfTrees: 10, minimumExampleCountPerLeaf: 2).Fit(_view);
        var student = _context.Fit(Options(Teacher.FromTransformer(model)), _view);
        var metrics = _context.MulticlassClassification.EvaluateDistillation(_view, model, student, "Class");
        var accuracy = _context.BinaryClassification.Evaluate(model.Transform(_view)).Accuracy;
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Teacher!.Accuracy.Value, Is.EqualTo(accuracy).Within(1e-9));
            Assert.That(metrics.Agreement.Value, Is.GreaterThan(0.9));
            Assert.That(metrics.Classes, Is.EqualTo(new[] { "True", "False" }));
        });
    }

    [Test]
    public void A_pipeline_fitted_here_teaches_in_folds_too()
    {
        var pipeline = _context.BinaryClassification.Trainers.LbfgsLogisticRegression();
        foreach (var folds in new[] { 0, 2 })
        {
            var student = _context.Fit(Options(Teacher.FromEstimator(pipeline, folds: folds)), _view);
            Assert.That(Rows.Agreement(student.Predictions(_view), [.. Flags(200).Select(row => row.Label ? 0 : 1)]), Is.GreaterThan(0.9));
        }
    }

    [TestCase("true", "false")]
    [TestCase("False", "True")]
    [TestCase("1", "0")]
    public void Classes_go_by_the_names_of_the_label_in_any_order(string first, string second)
    {
        var model = _context.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(_view);
        string Spelled(bool label) => string.Equals(first, $"{label}", StringComparison.OrdinalIgnoreCase) || first == (label ? "1" : "0") ? first : second;
        var view = _context.Keyed(Flags(200).Select(row => new Point { Label = Spelled(row.Label), Features = row.Features }));
        var names = ModelScores.ReadNames(_context.Fit(Options(Teacher.FromTransformer(Unlabelled(model))), view).Transform(view), "PredictedLabel");
        Assert.That(names.Zip(Flags(200), (name, row) => name == Spelled(row.Label)).Average(right => right ? 1.0 : 0), Is.GreaterThan(0.9));
    }

    [Test]
    public void Other_names_are_given_or_mapped_and_are_refused_where_they_are_not()
    {
        var model = Unlabelled(_context.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(_view));
        var view = _context.Keyed(Flags(200).Select(row => new Point { Label = row.Label ? "spam" : "ham", Features = row.Features }));
        double Right(Teacher teacher) => ModelScores.ReadNames(_context.Fit(Options(teacher), view).Transform(view), "PredictedLabel")
            .Zip(Flags(200), (name, row) => name == (row.Label ? "spam" : "ham") ? 1.0 : 0).Average();
        var map = new ClassMap { Names = new Dictionary<string, string> { ["False"] = "ham", ["True"] = "spam" } };
        Assert.Multiple(() =>
        {
            Assert.That(Right(Teacher.FromTransformer(model, classNames: ["ham", "spam"])), Is.GreaterThan(0.9));
            Assert.That(Right(Teacher.FromTransformer(model, classMap: map)), Is.GreaterThan(0.9));
            Assert.That(() => Right(Teacher.FromTransformer(model)), Throws.InvalidOperationException.With.Message.EndsWith(
                "Or give classNames with the teacher: first the class that 'false' means, then the class that 'true' means."));
        });
    }

    [Test]
    public void Without_labels_the_students_classes_are_Boolean()
    {
        var model = Unlabelled(_context.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(_view));
        var rows = _context.Data.LoadFromEnumerable(Flags(200).Select(row => new Unnamed { Features = row.Features }));
        var student = _context.MulticlassClassification.Trainers
            .Distill(Options(Teacher.FromTransformer(model)) with { LabelColumnName = null, Method = DistillationMethod.Kd(alpha: 1) })
            .Append(_context.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(rows);
        var said = student.Transform(rows).GetColumn<bool>("PredictedLabel");
        Assert.That(said.Zip(Flags(200), (label, row) => label == row.Label ? 1.0 : 0).Average(), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_column_of_one_number_a_row_teaches_where_it_is_said_what_it_is()
    {
        var view = Keyed([.. Flags(200).Select(row => new Flagged { Label = row.Label, Features = row.Features, Said = row.Label ? 0.9f : 0.2f })]);
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Fit(Options(Teacher.FromColumn("Said")), view), Throws.InvalidOperationException.With.Message.Contains("set Probabilities"));
            Assert.That(
                _context.MulticlassClassification.Trainers.Distill(Options(Teacher.FromColumn("Said", ScoreKind.Probabilities))).ScoreTeacher(view)
                    .GetColumn<float[]>("TeacherScore").Take(2).SelectMany(s => s),
                Is.EqualTo(new[] { 0.9f, 0.1f, 0.2f, 0.8f }).Within(1e-6));
        });
    }

    [Test]
    public void The_score_of_a_regression_is_refused()
    {
        var view = _context.Transforms.Conversion.ConvertType("Target", "Label", DataKind.Single).Fit(_view).Transform(_view);
        var regression = _context.Regression.Trainers.FastTree("Target", numberOfTrees: 3).Fit(view);
        Assert.That(() => _context.Fit(Options(Teacher.FromTransformer(regression, scoreKind: ScoreKind.Margins)), view), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher's column 'Score' is the score of a Regression model, which has no classes. Use a multiclass or binary classification model as the teacher."));
    }

    private static Flagged[] Flags(int count)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, count).Select(i => new Flagged
        {
            Label = i % 2 == 0,
            Features = [.. Enumerable.Range(0, 4).Select(_ => random.NextSingle() + (i % 2 == 0 ? 0.7f : 0))],
        })];
    }

    private static DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with { Epochs = 12 };

    /// <summary>The predictor, from features alone.</summary>
    private static ITransformer Unlabelled(ITransformer model) => model is IEnumerable<ITransformer> chain ? chain.Last() : model;

    private IDataView Keyed(Flagged[] rows)
    {
        var view = _context.Data.LoadFromEnumerable(rows);
        return _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(view).Transform(view);
    }

    private sealed class Flagged
    {
        public bool Label { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Said { get; set; }
    }

    private sealed class Unnamed
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }
}
