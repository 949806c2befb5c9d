using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>What shows of a teacher when its answers are held against the labels.</summary>
public sealed class TeacherQualityTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_teacher_that_always_names_the_most_frequent_class_passed_for_a_good_one()
    {
        // Nine rows in ten are ash: 0.9 is far above 1/3, and no better than naming ash.
        var view = _context.Keyed(Mostly("ash"));
        Assert.That(
            () => _context.Fit(Rows.Quick(_context.Saying(view, _ => [0.8f, 0.1f, 0.1f])), view),
            Throws.InvalidOperationException.With.Message.StartsWith(
                "The teacher's accuracy on the labelled training rows is 0.9000 (always predicting the most frequent class gives 0.9000), the mean over classes 0.3333 " +
                "(always predicting one class gives 0.3333), no better than chance. "));
    }

    [Test]
    public void A_teacher_that_knows_the_rare_classes_is_accepted_whatever_its_accuracy()
    {
        var rows = Mostly("ash");
        var view = _context.Keyed(rows);
        var random = new Random(1);
        var answers = rows.ToDictionary(p => p.Features[0], p => p.Label == "ash" && random.Next(5) == 0 ? "birch" : p.Label);
        var teacher = _context.Saying(view, f => Sure(answers[f[0]]));
        Assert.That(() => _context.Fit(Rows.Quick(teacher) with { Epochs = 1 }, view), Throws.Nothing);
    }

    [Test]
    public void Names_of_two_classes_that_are_swapped_are_named()
    {
        var view = _context.Keyed(Rows.Points());
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(view), classNames: null);
        var swapped = Teacher.FromTransformer(Unnamed(view), classNames: ["birch", "ash", "cedar"]);
        Assert.That(() => _context.Fit(Rows.Quick(teacher) with { Epochs = 1 }, view).Model.Warnings, Has.None.Contains("swapped"));
        Assert.That(
            () => _context.Fit(Rows.Quick(swapped), view),
            Throws.InvalidOperationException.With.Message.Match(
                "no better than chance. The teacher predicts 'birch' for \\d+ of 80 rows of 'ash' and 'ash' for \\d+ of 80 rows of 'birch': the names of these 2 classes are most likely swapped. Give classNames"));
    }

    [Test]
    public void Two_swapped_names_of_many_were_lost_in_a_good_accuracy()
    {
        var (view, model) = FiveClasses();
        var options = Rows.Quick(Teacher.FromTransformer(model, classNames: ["c1", "c0", "c2", "c3", "c4"])) with { Epochs = 1 };

        var student = _context.Fit(options, view).Model;
        var preflight = _context.MulticlassClassification.Trainers.Distill(options).Preflight(view);

        const string Said = "The teacher predicts 'c1' for 40 of 40 rows of 'c0' and 'c0' for 40 of 40 rows of 'c1': the names of these 2 classes are most likely swapped.";
        Assert.That(student.Warnings, Has.One.StartsWith(Said));
        Assert.That(preflight.Warnings, Has.One.StartsWith(Said));
    }

    [Test]
    public void Three_names_in_a_circle_are_named_once()
    {
        var (view, model) = FiveClasses();
        var options = Rows.Quick(Teacher.FromTransformer(model, classNames: ["c1", "c2", "c0", "c3", "c4"])) with { Epochs = 1 };
        Assert.That(_context.Fit(options, view).Model.Warnings, Has.One.Contains("the names of these 3 classes are most likely in the wrong order"));
    }

    [Test]
    public void A_class_that_the_teacher_never_names_is_warned_of()
    {
        var view = _context.Keyed(Rows.Points());
        var teacher = _context.Saying(view, f => f[0] > 0.3f ? [0.9f, 0.05f, 0.05f] : [0.1f, 0.8f, 0.1f]);
        Assert.That(
            _context.Fit(Rows.Quick(teacher) with { Epochs = 1 }, view).Model.Warnings,
            Has.One.StartsWith("The teacher never predicts 'cedar', which 80 of the 240 labelled rows it was queried for are: "));
    }

    [TestCase(0)]
    [TestCase(0.2)]
    public void A_class_without_a_row_to_train_on_is_warned_of(double heldOut)
    {
        var all = _context.Keyed(Rows.Points());
        var view = _context.Data.FilterByCustomPredicate<Point>(all, p => p.Label == "birch");
        var trainer = _context.MulticlassClassification.Trainers.Distill(Rows.Quick() with { ValidationFraction = heldOut });
        const string Said = "No row trained on is of class 'birch' (1 of 3): ";
        Assert.That(trainer.Preflight(view).Warnings, Has.One.StartsWith(Said));
        Assert.That(trainer.Fit(view).Model.Warnings, Has.One.StartsWith(Said));
    }

    private static Point[] Mostly(string label)
    {
        var points = Rows.Points(1200);
        return [.. points.Where(p => p.Label == label).Take(360), .. points.Where(p => p.Label != label).Take(40)];
    }

    private static float[] Sure(string label) => [.. Rows.Classes.Select(name => name == label ? 0.9f : 0.05f)];

    /// <summary>A good model whose scores bear no names.</summary>
    private ITransformer Unnamed(IDataView view)
    {
        var model = _context.Regression().Fit(view);
        var scores = Rows.Points().Zip(model.Scores(view)).ToDictionary(row => row.First.Features[0], row => row.Second);
        return _context.Says(view, features => scores[features[0]]);
    }

    private sealed class Numbered
    {
        public string Label { get; set; } = "";

        [Microsoft.ML.Data.VectorType(2)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Five
    {
        [Microsoft.ML.Data.VectorType(5)]
        public float[] Score { get; set; } = [];
    }

    private (IDataView View, ITransformer Model) FiveClasses()
    {
        var view = _context.Keyed(Enumerable.Range(0, 200).Select(i => new Numbered { Label = $"c{i % 5}", Features = [i % 5, i] }));
        var model = _context.Transforms.CustomMapping<Numbered, Five>(
            (row, answer) => answer.Score = [.. Enumerable.Range(0, 5).Select(c => c == (int)row.Features[0] ? 0.8f : 0.05f)], null).Fit(view);
        return (view, model);
    }
}
