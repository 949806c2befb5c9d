using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Labels are drawn at random here, so that a teacher right about a row can only have memorised it.</summary>
public sealed partial class EstimatorTeacherTests
{
    private MLContext _context = null!;
    private IDataView _view = null!;
    private RowsLog _log = null!;

    [SetUp]
    public void RandomLabels()
    {
        _context = Rows.Context();
        _log = new RowsLog(_context);
        var random = new Random(8);
        _view = _context.Keyed(Rows.Points(150).Select(p => { p.Label = Rows.Classes[random.Next(3)]; return p; }));
    }

    [Test]
    public void A_teacher_fitted_on_all_rows_knows_them_by_heart()
    {
        var model = Fit(folds: 0);
        Assert.Multiple(() =>
        {
            Assert.That(LoggedAccuracy(), Is.GreaterThan(0.9));
            Assert.That(model.Teacher, Is.Not.Null);
        });
    }

    [Test]
    public void Out_of_fold_no_row_is_scored_by_a_teacher_that_has_seen_it()
    {
        var model = Fit(folds: 3);
        Assert.Multiple(() =>
        {
            Assert.That(LoggedAccuracy(), Is.LessThan(0.55));
            Assert.That(model.Teacher, Is.Null);
            Assert.That(_log.Lines, Has.One.EqualTo("Fitting the teacher on fold 3 of 3."));
        });
    }

    [Test]
    public void Cross_validation_shows_no_held_out_row_to_the_teacher()
    {
        var options = Rows.Quick(Teacher.FromEstimator(Memory())) with { MinimumTeacherAccuracy = 0, Epochs = 2 };
        var folds = _context.MulticlassClassification.CrossValidate(_view, _context.MulticlassClassification.Trainers.Distill(options), 2, "Class");
        foreach (var fold in folds)
        {
            var teacher = fold.Model.FindStudent().Teacher!;
            var accuracy = _context.MulticlassClassification.Evaluate(teacher.Transform(fold.ScoredHoldOutSet), "Class").MicroAccuracy;
            Assert.That(accuracy, Is.LessThan(0.55));
        }
    }

    [Test]
    public void The_same_seed_deals_the_same_folds() => Assert.That(Fit(folds: 3).Scores(_view), Is.EqualTo(Fit(folds: 3).Scores(_view)));

    private DistillationTransformer Fit(int folds) =>
        _context.Fit(Rows.Quick(Teacher.FromEstimator(Memory(), folds: folds)) with { MinimumTeacherAccuracy = 0, Epochs = 2 }, _view);

    /// <summary>Trees deep enough to remember every row.</summary>
    private IEstimator<ITransformer> Memory() => _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
        .Append(_context.MulticlassClassification.Trainers.OneVersusAll(
            _context.BinaryClassification.Trainers.FastTree("TeacherClass", numberOfLeaves: 64, numberOfTrees: 20, minimumExampleCountPerLeaf: 1), "TeacherClass"));

    private double LoggedAccuracy() => double.Parse(
        _log.Lines.Select(line => Accuracy().Match(line)).Last(m => m.Success).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"teacher's accuracy on the labelled training rows is ([\d.]+) ")]
    private static partial Regex Accuracy();
}
