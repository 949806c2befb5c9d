using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows that say nothing, or too few of them, were trained on without a word.</summary>
public sealed class DataWarningTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Features_that_are_all_alike_are_warned_of() => Assert.That(
        Warnings(Rows.Points().Select(p => new Point { Label = p.Label, Features = [1, 2, 3, 4] })),
        Has.One.EqualTo("All 240 rows trained on have the same features (column 'Features'), so nothing can be learnt from them. Check the step that makes this column."));

    [Test]
    public void A_feature_that_never_changes_is_named() => Assert.That(
        Warnings(Rows.Points().Select(p => new Point { Label = p.Label, Features = [p.Features[0], p.Features[1], 0.5f, p.Features[3]] })),
        Has.One.StartsWith("1 of 4 features in column 'Features' have one value in all rows trained on (from 0: 2; the first is 0.5): "));

    [Test]
    public void Pictures_of_one_colour_are_warned_of()
    {
        var images = ToyData.Images();
        foreach (var image in images.Take(10))
            Array.Fill(image.Pixels, (byte)0);
        var options = ToyPipelines.Options(ToyPipelines.SmallResNet) with { FeatureColumnName = "Pixels" };
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.View(images)).Transform(_context.View(images));
        Assert.That(
            _context.MulticlassClassification.Trainers.Distill(options).Preflight(view).Warnings,
            Has.One.StartsWith("10 of 120 pictures trained on (column 'Pixels') have one value in all pixels. Check that they were found and loaded"));
    }

    [Test]
    public void Bytes_at_the_edge_that_never_change_are_usual()
    {
        var images = ToyData.Images();
        foreach (var image in images)
            image.Pixels[0] = 0;
        var options = ToyPipelines.Options(ToyPipelines.SmallResNet) with { FeatureColumnName = "Pixels" };
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.View(images)).Transform(_context.View(images));
        Assert.That(_context.MulticlassClassification.Trainers.Distill(options).Preflight(view).Warnings, Has.None.Contains("one value"));
    }

    [Test]
    public void A_share_that_leaves_hardly_a_row_to_train_on_is_named() => Assert.That(
        Warnings(Rows.Points(), Rows.Quick() with { ValidationFraction = 0.9 }),
        Has.One.EqualTo("ValidationFraction 0.9 holds out 216 of 240 rows and leaves 24 to train on. Usual shares are 0.1 to 0.3."));

    [Test]
    public void A_share_that_holds_out_hardly_a_row_is_named() => Assert.That(
        Warnings(Rows.Points(), Rows.Quick() with { ValidationFraction = 0.001 }),
        Has.One.Match("^ValidationFraction 0.001 holds out [0-2] of 240 rows, fewer than there are classes \\(3\\): they are too few to measure anything. Usual shares are 0.1 to 0.3.$"));

    [Test]
    public void A_column_that_leaves_hardly_a_row_to_train_on_is_named()
    {
        var rows = Rows.Points();
        foreach (var (i, row) in rows.Index())
            row.Held = i >= 30;
        Assert.That(
            Warnings(rows, Rows.Quick() with { ValidationColumnName = "Held" }),
            Has.One.EqualTo("The validation column 'Held' holds out 210 of 240 rows and leaves 30 to train on. Usual shares are 0.1 to 0.3."));
    }

    [Test]
    public void Rows_that_weigh_nothing_are_counted_and_the_classes_that_go_with_them_named()
    {
        var rows = Rows.Points();
        foreach (var row in rows.Where(row => row.Label != "ash"))
            row.Weight = 0;
        var warnings = Warnings(rows, Rows.Quick() with { ExampleWeightColumnName = "Weight" });
        Assert.That(warnings, Has.One.EqualTo(
            "160 of 240 training rows have weight 0 in column 'Weight', so they are ignored: the student learns from 80. " +
            "Check the step that makes the weights; rows that are not meant to count are better left out."));
        Assert.That(warnings, Has.One.StartsWith("No row trained on whose weight is above 0 is of the classes 'birch', 'cedar' (2 of 3): "));
    }

    [Test]
    public void Weights_that_leave_some_rows_out_are_usual()
    {
        var rows = Rows.Points();
        foreach (var row in rows.Take(100))
            row.Weight = 0;
        Assert.That(Warnings(rows, Rows.Quick() with { ExampleWeightColumnName = "Weight" }), Has.None.Contains("eight"));
    }

    [TestCase(ScoreKind.Logits)]
    [TestCase(ScoreKind.Margins)]
    public void Probabilities_that_are_taken_for_something_else_are_told(ScoreKind kind)
    {
        var view = _context.Keyed(Rows.Points());
        ITransformer model = _context.Regression().Fit(view);
        var trainer = _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromTransformer(model, scoreKind: kind)));
        var said = "All checked scores of the teacher are in [0, 1] and sum to 1 over the classes, as probabilities do, but they are used as ScoreKind." + kind + ": ";
        Assert.That(trainer.Preflight(view).Warnings, Has.One.StartsWith(said));
        Assert.That(trainer.Fit(view).Model.Warnings, Has.One.StartsWith(said));
    }

    [Test]
    public void Probabilities_of_0_and_1_that_are_taken_for_margins_are_told_too()
    {
        var view = _context.Keyed(Rows.Points());
        static float[] Sure(float[] f) => f[0] > 0 ? [1, 0, 0] : f[1] > 0 ? [0, 1, 0] : [0, 0, 1];
        var model = _context.Fit(Rows.Quick(_context.Saying(view, Sure, ScoreKind.Margins)) with { MinimumTeacherAccuracy = 0 }, view);
        Assert.That(model.Model.Warnings, Has.One.Contains("are used as ScoreKind.Margins"));
    }

    [Test]
    public void Logits_and_probabilities_that_are_what_they_are_said_to_be_are_not_told()
    {
        var view = _context.Keyed(Rows.Points());
        var logits = _context.Saying(view, f => [f[0], f[1], -f[1]], ScoreKind.Logits);
        Assert.That(_context.Fit(Rows.Quick(logits) with { MinimumTeacherAccuracy = 0 }, view).Model.Warnings, Has.None.Contains("ScoreKind."));
        Assert.That(_context.Fit(Rows.Quick(Teacher.FromTransformer(_context.Regression().Fit(view))), view).Model.Warnings, Has.None.Contains("ScoreKind."));
    }

    private IReadOnlyList<string> Warnings(IEnumerable<Point> rows, DistillationOptions? options = null)
    {
        var view = _context.Keyed(rows);
        var trainer = _context.MulticlassClassification.Trainers.Distill(options ?? Rows.Quick());
        var warnings = trainer.Fit(view).Model.Warnings;
        Assert.That(trainer.Preflight(view).Warnings, Is.SubsetOf(warnings), "what is known before training");
        return warnings;
    }
}
