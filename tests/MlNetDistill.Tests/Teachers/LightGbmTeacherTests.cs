using Microsoft.ML;
using Microsoft.ML.Trainers.LightGbm;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Cache;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>
/// LightGBM as teacher, one forest a class (its own choice for few classes) or all by softmax. It meets the classes in another order than the student does.
/// </summary>
public sealed class LightGbmTeacherTests : CachesInFolder
{
    private readonly IDataView _teachersRows;

    public LightGbmTeacherTests() => _teachersRows = Context.Keyed(Rows.Points(seed: 6).Reverse());

    [Test]
    public void Its_answers_are_its_own_scores_class_by_class([Values(null, true, false)] bool? softmax, [Values] bool labelsAreKeys)
    {
        var teacher = Pipeline(softmax, labelsAreKeys).Fit(_teachersRows);
        AssertAsksFor(teacher, labelsAreKeys ? Rows.Classes : ["cedar", "birch", "ash"]);
    }

    [Test]
    public void A_student_learns_from_one_that_is_fitted_with_it([Values(0, 3)] int folds, [Values] bool softmax)
    {
        var pipeline = Pipeline(softmax);
        var student = Context.Fit(Rows.Quick(Teacher.FromEstimator(pipeline, folds: folds)) with { Method = DistillationMethod.Kd(temperature: 2) }, View);
        Assert.Multiple(() =>
        {
            Assert.That(Rows.Agreement(student.Predictions(View), Classes(Rows.Points())), Is.GreaterThan(0.9));
            Assert.That(student.Teacher?.Scores(View), folds > 0 ? Is.Null : Is.EqualTo(pipeline.Fit(View).Scores(View)));
        });
    }

    [Test]
    public void The_same_forest_fitted_again_is_identified_by_its_cache_and_another_is_not([Values] bool softmax)
    {
        var first = Fit(Teacher.FromTransformer(Pipeline(softmax).Fit(View)));
        var written = File.GetLastWriteTimeUtc(Folder.File(Folder.Entries.Single()));
        var again = Fit(Teacher.FromTransformer(Pipeline(softmax).Fit(View)));
        Assert.Multiple(() =>
        {
            Assert.That(again, Is.EqualTo(first));
            Assert.That(File.GetLastWriteTimeUtc(Folder.File(Folder.Entries.Single())), Is.EqualTo(written));
        });
        Fit(Teacher.FromTransformer(Pipeline(softmax, iterations: 12).Fit(View)));
        Assert.That(Folder.Entries, Has.Length.EqualTo(2));
    }

    [Test]
    public void A_loaded_one_answers_as_it_did_before_it_was_saved()
    {
        var teacher = Pipeline(softmax: true).Fit(_teachersRows);
        AssertAsksFor(Context.Reloaded(teacher, _teachersRows.Schema), ["cedar", "birch", "ash"], teacher);
    }

    [Test]
    public void A_class_that_it_has_seen_no_row_of_has_no_probability([Values(null, true)] bool? softmax)
    {
        var rows = Context.Data.FilterByCustomPredicate<Point>(_teachersRows, point => point.Label == "birch");
        var teacher = Context.MulticlassClassification.Trainers.LightGbm(Options(softmax, "Class")).Fit(rows);
        AssertAsksFor(teacher, Rows.Classes);
        Assert.That(teacher.Scores(View).Max(scores => scores[1]), Is.LessThan(0.02f));
    }

    [Test]
    public void One_that_saw_too_few_rows_for_a_leaf_is_noticed() => Assert.That(
        () => Context.Fit(Rows.Quick(Teacher.FromTransformer(Pipeline(leaf: 20).Fit(Context.Keyed(Rows.Points(9))))), View),
        Throws.InvalidOperationException.With.Message.Contains("accuracy"));

    private void AssertAsksFor(ITransformer teacher, string[] order, ITransformer? original = null)
    {
        var asked = Context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromTransformer(teacher))).ScoreTeacher(View);
        var own = (original ?? teacher).Scores(View).Select(scores => Rows.Classes.Select(name => scores[Array.IndexOf(order, name)]).ToArray());
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(asked, "TeacherScore"), [.. own]), Is.LessThan(1e-6f));
    }

    private static int[] Classes(IEnumerable<Point> rows) => [.. rows.Select(row => Array.IndexOf(Rows.Classes, row.Label))];

    private IEstimator<ITransformer> Pipeline(bool? softmax = null, bool labelsAreKeys = false, int iterations = 10, int leaf = 3)
    {
        var options = Options(softmax, labelsAreKeys ? "Class" : "TeacherClass");
        (options.NumberOfIterations, options.MinimumExampleCountPerLeaf) = (iterations, leaf);
        var trainer = Context.MulticlassClassification.Trainers.LightGbm(options);
        return labelsAreKeys ? trainer : Context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label").Append(trainer);
    }

    private static LightGbmMulticlassTrainer.Options Options(bool? softmax, string label) => new()
    {
        LabelColumnName = label,
        UseSoftmax = softmax,
        NumberOfIterations = 10,
        NumberOfLeaves = 6,
        MinimumExampleCountPerLeaf = 3,
        NumberOfThreads = 1,
        // Without one it draws one from the context for each fit, and writes it into the model: then no two fits give the same bytes.
        Seed = 5,
    };
}
