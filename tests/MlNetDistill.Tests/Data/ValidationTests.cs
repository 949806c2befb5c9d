using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Data;

public sealed class ValidationTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void The_returned_student_is_that_of_the_best_epoch_and_its_accuracy_is_the_one_reported()
    {
        var rows = Rows.Points();
        for (var i = 0; i < rows.Length; i += 3)
            rows[i + (i % 2)].Held = true;
        // A rate this high jumps about, so that the last epoch is seldom the best.
        var options = Rows.Quick() with { ValidationColumnName = "Held", Epochs = 12, Optimizer = Optimizer.AdamW(0.4), Schedule = LearningRateSchedule.Constant() };
        var model = _context.Fit(options, _context.Keyed(rows));
        var history = model.Model.History;
        var held = Where(rows, r => r.Held);
        var evaluated = _context.MulticlassClassification.Evaluate(model.Transform(held), "Class");
        Assert.Multiple(() =>
        {
            Assert.That(evaluated.MicroAccuracy, Is.EqualTo(history.Max(h => h.Validation!.Quality)).Within(1e-9));
            Assert.That(evaluated.LogLoss, Is.EqualTo(
                history.Where(h => h.Validation?.Quality == history.Max(e => e.Validation?.Quality)).Min(h => h.Validation!.Loss)).Within(1e-4));
            Assert.That(history[^1].Validation?.Loss, Is.Not.EqualTo(evaluated.LogLoss).Within(1e-4), "the last epoch was the best: the test shows nothing");
        });
    }

    [Test]
    public void Rows_held_out_by_a_column_are_not_trained_on()
    {
        DistillationTransformer FitWith(Action<Point> poison)
        {
            var rows = Rows.Points();
            foreach (var row in rows.Where((_, i) => i % 5 == 0))
            {
                row.Held = true;
                poison(row);
            }

            return _context.Fit(Rows.Quick() with { ValidationColumnName = "Held", Epochs = 1 }, _context.Keyed(rows));
        }

        var view = _context.Keyed(Rows.Points());
        var poisoned = FitWith(row => (row.Label, row.Features) = (row.Label == "ash" ? "cedar" : "ash", [9, 9, -9, 9]));
        Assert.That(poisoned.Scores(view), Is.EqualTo(FitWith(_ => { }).Scores(view)));
    }

    [Test]
    public void A_fraction_is_held_out_of_the_training_rows()
    {
        var log = new RowsLog(_context);
        var model = _context.Fit(Rows.Quick() with { ValidationFraction = 0.2, Epochs = 2 }, _context.Keyed(Rows.Points()));
        Assert.Multiple(() =>
        {
            Assert.That(log.Lines, Has.One.EqualTo("Read 240 rows (vector of 4), 3 classes; training on 192, validating on 48."));
            Assert.That(model.Model.History, Has.All.Property(nameof(TrainingProgress.Validation)).Not.Null);
        });
    }

    [Test]
    public void Without_held_out_rows_no_validation_is_reported() => Assert.That(
        _context.Fit(Rows.Quick() with { Epochs = 1 }, _context.Keyed(Rows.Points())).Model.History[0],
        Has.Property(nameof(TrainingProgress.Validation)).Null);

    [Test]
    public void Early_stopping_ends_before_the_last_epoch()
    {
        var model = _context.Fit(
            Rows.Quick() with { ValidationFraction = 0.3, Epochs = 40, EarlyStopping = new EarlyStopping(2) }, _context.Keyed(Rows.Points()));
        Assert.That(model.Model.History, Has.Count.LessThan(40));
    }

    [TestCase(true, "The validation column 'Held' holds out every row; none is left to train on.")]
    [TestCase(false, "The validation column 'Held' holds out no labelled row; set it true for some rows, or leave it out.")]
    public void A_column_that_holds_out_everything_or_nothing_is_refused(bool held, string message) => Assert.That(
        () => _context.Fit(Rows.Quick() with { ValidationColumnName = "Held" }, Where(Rows.Points(30).Select(r => { r.Held = held; return r; }), _ => true)),
        Throws.InvalidOperationException.With.Message.EqualTo(message));

    private IDataView Where(IEnumerable<Point> rows, Func<Point, bool> kept) => _context.Transforms.Conversion.MapValueToKey("Class", "Label")
        .Fit(_context.Data.LoadFromEnumerable(Rows.Points(3))).Transform(_context.Data.LoadFromEnumerable(rows.Where(kept)));
}
