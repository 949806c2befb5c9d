using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class SeparateValidationTests
{
    private const string Remedy = " It bypasses the pipeline that leads to the trainer, so it must be transformed by the same fitted steps first; " +
        "ValidationFraction and ValidationColumnName do not have this problem.";

    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _training;
    private readonly ITransformer _toKey;

    public SeparateValidationTests()
    {
        var view = _context.Data.LoadFromEnumerable(Rows.Points());
        _toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(view);
        _training = _toKey.Transform(view);
    }

    [Test]
    public void A_view_transformed_by_the_same_steps_is_validated_on()
    {
        var rows = Rows.Points(60, seed: 9);
        var view = View(rows);
        var model = _context.Fit(Rows.Quick() with { ValidationData = view }, _training);
        Assert.That(model.AccuracyOn(rows, view), Is.EqualTo(model.Model.History.Max(h => h.Validation!.Quality)).Within(1e-9));
    }

    [Test]
    public void A_view_of_one_class_was_refused_as_if_it_were_trained_on() => Assert.That(
        () => _context.Fit(Rows.Quick() with { ValidationData = View(Rows.Points(60).Where(p => p.Label == "ash")), Epochs = 1 }, _training), Throws.Nothing);

    [Test]
    public void A_view_without_the_label_is_refused() => Refuses(
        _context.Data.LoadFromEnumerable(Rows.Points(6)),
        "The label column 'Class' is not in the data. Its columns are 'Label', 'Features', 'Weight', 'Held'; name one of them as LabelColumnName. If a step of the pipeline adds it, give rows that have passed that step. (Parameter 'schema')");

    [Test]
    public void A_view_with_other_features_is_refused()
    {
        var view = View(Rows.Points(6));
        var longer = _context.Transforms.Concatenate("Features", "Features", "Weight").Fit(view).Transform(view);
        Refuses(longer, "column 'Features' is Vector<Single, 5> there and Vector<Single, 4> in the training data.");
    }

    [Test]
    public void A_view_whose_keys_mean_other_classes_is_refused() => Refuses(
        _context.Keyed(Rows.Points(6).Select(p => { p.Label = p.Label.Replace("birch", "beech"); return p; })), "the label 'Class' has other classes there than in the training data.");

    [Test]
    public void An_empty_view_is_called_validation_data() => Assert.That(
        () => _context.Fit(Rows.Quick() with { ValidationData = View([]) }, _training),
        Throws.InvalidOperationException.With.Message.EqualTo("The validation data have no rows. Check the file or the filter that they come from."));

    private IDataView View(IEnumerable<Point> rows) => _toKey.Transform(_context.Data.LoadFromEnumerable(rows));

    private void Refuses(IDataView validation, string why) => Assert.That(
        () => _context.Fit(Rows.Quick() with { ValidationData = validation }, _training),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo("ValidationData does not have the trainer's input: " + why + Remedy));
}
