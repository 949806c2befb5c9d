using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;
using MlNetDistill.Tests.Teachers.Onnx;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Tests.Teachers;

public sealed class ClassMatchingTests
{
    private const string Remedy = "Fit both to the same label values, or give a ClassMap: it renames and merges classes of the teacher, and with DropOthers it " +
        "leaves out those that the student does not have.";

    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public ClassMatchingTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void Classes_are_matched_by_key_value_where_the_teacher_has_them_in_another_order()
    {
        // Keys by first occurrence in the reversed rows: cedar, birch, ash. Matched by position, ash and cedar would change places.
        var reversed = _context.Data.LoadFromEnumerable(Rows.Points().Reverse());
        var teacher = _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label", keyOrdinality: ByOccurrence)
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass")).Fit(reversed);
        var model = _context.Fit(Rows.Quick(Teacher.FromTransformer(teacher)) with { Method = DistillationMethod.Kd(alpha: 1) }, _view);
        var byPosition = Rows.Agreement(model.Predictions(_view), teacher.Predictions(_view));
        Assert.Multiple(() =>
        {
            Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
            Assert.That(byPosition, Is.LessThan(0.5), "the orders were the same: the test shows nothing");
        });
    }

    [Test]
    public void Given_class_names_say_what_the_scores_are_for()
    {
        var truth = _context.Says(_view, f => Reversed(Nearest(f)));
        var teacher = Teacher.FromTransformer(truth, classNames: [.. Rows.Classes.Reverse()]);
        var model = _context.Fit(Rows.Quick(teacher) with { Method = DistillationMethod.Kd(alpha: 1) }, _view);
        Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.85));
    }

    [Test]
    public void A_teacher_of_other_classes_is_refused_and_both_sides_are_named()
    {
        var others = Rows.Points();
        foreach (var row in others)
            row.Label = row.Label == "cedar" ? "fir" : row.Label;
        Refuses(Teacher.FromTransformer(_context.Regression().Fit(_context.Keyed(others))),
            "The classes of the teacher (column 'Score') and of the student differ: the teacher lacks 'cedar'; the student lacks 'fir'. " +
            "The teacher's 3 classes are 'ash', 'birch', 'fir'; the student's 3 are 'ash', 'birch', 'cedar'. " + Remedy);
    }

    [Test]
    public void A_teacher_of_fewer_classes_is_refused()
    {
        var fewer = _context.Regression().Fit(_context.Keyed(Rows.Points().Where(p => p.Label != "birch")));
        Refuses(Teacher.FromTransformer(fewer),
            "The classes of the teacher (column 'Score') and of the student differ: the teacher lacks 'birch'. " +
            "The teacher's 2 classes are 'ash', 'cedar'; the student's 3 are 'ash', 'birch', 'cedar'. " + Remedy);
    }

    [Test]
    public void Scores_without_class_names_are_never_matched_by_position() => Refuses(
        Teacher.FromTransformer(_context.Says(_view, Nearest)),
        "The teacher's column 'Score' has no names for the classes of its 3 scores, and classes are never matched by position. " +
        "Give classNames with the teacher, in the order of its scores. The student's classes are 'ash', 'birch', 'cedar'.");

    [Test]
    public void More_names_than_scores_are_refused() => Refuses(
        Teacher.FromTransformer(_context.Says(_view, Nearest), classNames: ["ash", "birch", "cedar", "fir"]),
        "The teacher's column 'Score' has 3 scores, but 4 class names were given. Give one name for each score, in the order of the scores.");

    [Test]
    public void Names_that_contradict_the_models_own_swapped_classes_without_a_word() => Refuses(
        Teacher.FromTransformer(_context.Regression().Fit(_view), classNames: ["birch", "ash", "cedar"]),
        "By its own names, the scores of the teacher's column 'Score' are in the order 'ash', 'birch', 'cedar'; classNames gives the same classes in the order " +
        "'birch', 'ash', 'cedar'. Leave out classNames: the model's own names are used.");

    [Test]
    public void A_model_of_one_score_was_asked_for_one_name_and_then_for_more() => Assert.That(
        () => _context.Fit(Rows.Quick(Teacher.FromOnnx(OnnxBytes.Linear(4, 1).Write(), classNames: Rows.Classes)), _view),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher's model in memory has 1 score per row; one score for each class is needed. If the model has two classes and gives the probability of " +
            "one of them, export or compute both."));

    [Test]
    public void An_empty_class_name_is_refused_when_the_trainer_is_made()
    {
        void Refused(Teacher teacher, string message) => Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher)), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message));
        Refused(Teacher.FromColumn("Scores", classNames: ["ash", null!, "cedar"]), "Every entry of classNames must be a name; one is empty.");
        Refused(
            Teacher.FromColumn("Scores", classMap: new ClassMap { Names = new Dictionary<string, string> { ["fir"] = null! } }),
            "ClassMap.Names must map 'fir' to a class of the student; was empty.");
    }

    [Test]
    public void A_name_given_twice_is_refused() => Refuses(
        Teacher.FromTransformer(_context.Says(_view, Nearest), classNames: ["ash", "ash", "cedar"]),
        "The classes of the teacher (column 'Score') and of the student differ: the teacher names 'ash' more than once; the teacher lacks 'birch'. " +
        "The teacher's 3 classes are 'ash', 'ash', 'cedar'; the student's 3 are 'ash', 'birch', 'cedar'. " + Remedy);

    [Test]
    public void Keys_without_values_are_their_own_names()
    {
        var view = Numbered(3);
        var model = _context.Fit(Rows.Quick(Teacher.FromTransformer(_context.Says(_view, Nearest))) with { Method = DistillationMethod.Kd(alpha: 1) }, view);
        Assert.That(model.AccuracyOn(Rows.Points(), view), Is.GreaterThan(0.85));
    }

    [Test]
    public void Keys_without_values_must_at_least_be_as_many() => Assert.That(
        () => _context.Fit(Rows.Quick(Teacher.FromTransformer(_context.Says(_view, Nearest))), Numbered(4)),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The student has 4 classes, the teacher 3. Fit both to the same label values."));

    private static float[] Nearest(float[] f) =>
        f[0] > 0.3f ? [0.8f, 0.1f, 0.1f] : f[1] > 0 ? [0.1f, 0.8f, 0.1f] : [0.1f, 0.1f, 0.8f];

    private static float[] Reversed(float[] scores) => [.. scores.Reverse()];

    /// <summary>The same rows with a key column that has a count but no values.</summary>
    private IDataView Numbered(ulong count)
    {
        var definition = SchemaDefinition.Create(typeof(NumberedPoint));
        definition["Class"].ColumnType = new KeyDataViewType(typeof(uint), count);
        return _context.Data.LoadFromEnumerable(
            Rows.Points().Select(p => new NumberedPoint { Class = (uint)Array.IndexOf(Rows.Classes, p.Label), Features = p.Features }), definition);
    }

    private void Refuses(Teacher teacher, string message) =>
        Assert.That(() => _context.Fit(Rows.Quick(teacher), _view), Throws.InvalidOperationException.With.Message.EqualTo(message));

    private sealed class NumberedPoint
    {
        public uint Class { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }
}
