using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows without any label: a student learns from its teacher alone.</summary>
public sealed class NoLabelTests : WithoutLabels
{
    private static readonly DistillationMethod[] LearnFromTheTeacher =
    [
        DistillationMethod.Kd(alpha: 1),
        DistillationMethod.Kd(),
        DistillationMethod.Dist(),
        DistillationMethod.Cckd(beta: 1, missingEmbedding: MissingEmbedding.UseLogits),
        DistillationMethod.FromLoss("standardised", (0.1 * new CrossEntropyLoss()) + (9 * new StandardizedLogitsLoss(new KdLoss(2)))),
    ];

    [TestCaseSource(nameof(LearnFromTheTeacher))]
    public void No_labelled_row_trains_a_student_of_the_keys_classes(DistillationMethod method)
    {
        var model = Context.Fit(Options() with { Method = method }, View);
        Assert.Multiple(() =>
        {
            Assert.That(AgreementWithRegression(model, View), Is.GreaterThan(0.95));
            Assert.That(Numbers(model), Has.All.Matches<double>(double.IsFinite));
            Assert.That(model.Model.History.SelectMany(epoch => epoch.Losses.Keys), Has.None.EqualTo("crossEntropy"), "it would be 0");
        });
    }

    [TestCaseSource(nameof(LearnFromTheTeacher))]
    public void No_label_column_trains_a_student_of_the_teachers_classes(DistillationMethod method)
    {
        var view = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        var teacher = TeacherWithout();
        var model = Context.Fit(Options() with { Teacher = teacher, Method = method, LabelColumnName = null }, view);
        Assert.That(AgreementWithRegression(model, view), Is.GreaterThan(0.95));
    }

    [Test]
    public void A_teacher_that_makes_its_own_label_a_key_needs_none()
    {
        DistillationTransformer Fit(IDataView view) => Context.Fit(Options() with { Teacher = Teacher.FromTransformer(Regression), LabelColumnName = null }, view);
        var without = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        var empty = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Point { Label = null!, Features = row.Features }));
        var expected = Context.Fit(Options(), View).Scores(View);
        var student = Fit(without);
        Assert.Multiple(() =>
        {
            Assert.That(student.Scores(without), Is.EqualTo(expected));
            Assert.That(Fit(empty).Scores(empty), Is.EqualTo(expected));
            Assert.That(
                Context.MulticlassClassification.EvaluateDistillation(without, Regression, student, labelColumnName: null).Agreement.Value,
                Is.EqualTo(Context.MulticlassClassification.EvaluateDistillation(empty, Regression, student, labelColumnName: null).Agreement.Value));
        });
    }

    [Test]
    public void A_column_that_the_teachers_answers_depend_on_is_not_made_up()
    {
        var pipeline = Context.Transforms.Conversion.MapValueToKey("Key", "Label")
            .Append(Context.Transforms.Categorical.OneHotEncoding("Answer", "Label"))
            .Append(Context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key", "Answer"));
        var teacher = pipeline.Fit(Context.Data.LoadFromEnumerable(UnlabelledRows));
        var rows = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        Assert.That(
            () => Context.Fit(Options() with { Teacher = Teacher.FromTransformer(teacher), LabelColumnName = null }, rows),
            Throws.InvalidOperationException.With.Message.StartsWith("The teacher cannot run on the columns that the trainer receives: Could not find input column 'Label'"));
    }

    [Test]
    public void Both_ways_give_the_same_student()
    {
        var unnamed = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        var keyed = Context.Fit(Options(), View);
        var without = Context.Fit(Options() with { Teacher = TeacherWithout(), LabelColumnName = null }, unnamed);
        Assert.That(without.Scores(unnamed), Is.EqualTo(keyed.Scores(View)));
    }

    [Test]
    public void It_saves_and_loads_with_the_teachers_class_names_in_a_pipeline()
    {
        var view = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        var model = Context.MulticlassClassification.Trainers
            .Distill(TeacherWithout(), NetworkSpec.Mlp(8), DistillationMethod.Kd(alpha: 1), labelColumnName: null, epochs: 4, batchSize: 16)
            .Append(Context.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(view);
        var loaded = Context.Reloaded(model, view.Schema);
        var said = loaded.Transform(view).GetColumn<string>("PredictedLabel").ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(said, Is.EqualTo(model.Transform(view).GetColumn<string>("PredictedLabel")));
            Assert.That(said.Distinct(), Is.EquivalentTo(Rows.Classes));
            Assert.That(loaded.Transform(view).Schema.GetColumnOrNull("__MlNetDistill.Class"), Is.Null);
        });
    }

    [Test]
    public void Values_of_the_teachers_keys_keep_their_type()
    {
        var numbered = Rows.Points(120, seed: 1).Select(row => new Numbered { Label = 7 * (1 + Array.IndexOf(Rows.Classes, row.Label)), Features = row.Features });
        var teacher = Context.Regression().Fit(Context.Data.LoadFromEnumerable(numbered));
        var scored = teacher.Transform(Context.Data.LoadFromEnumerable(numbered));
        var view = Context.Transforms.SelectColumns("Features", "Score").Fit(scored).Transform(scored);
        var model = Context.Fit(Options() with { Teacher = Teacher.FromColumn("Score"), LabelColumnName = null, ScoreColumnName = "Said" }, view);
        VBuffer<int> values = default;
        model.Transform(view).Schema["PredictedLabel"].GetKeyValues(ref values);
        Assert.That(values.DenseValues(), Is.EquivalentTo(new[] { 7, 14, 21 }));
    }

    [Test]
    public void A_map_says_the_students_classes()
    {
        var view = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        var map = new ClassMap { Names = new Dictionary<string, string> { ["ash"] = "broad", ["birch"] = "broad" } };
        var model = Context.Fit(Options() with { Teacher = TeacherWithout(map), LabelColumnName = null }, view);
        var dropped = Context.Fit(
            Options() with { Teacher = TeacherWithout(new ClassMap { Names = new Dictionary<string, string> { ["ash"] = "a", ["birch"] = "b" }, DropOthers = true }), LabelColumnName = null },
            view);
        Assert.Multiple(() =>
        {
            Assert.That(NamesOf(model, view), Is.EquivalentTo(new[] { "broad", "cedar" }));
            Assert.That(NamesOf(dropped, view), Is.EquivalentTo(new[] { "a", "b" }));
        });
    }

    [Test]
    public void A_module_with_class_names_teaches_rows_without_labels()
    {
        using var module = TorchSharp.torch.nn.Linear(4, 3);
        var view = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        var teacher = Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: ScoreKind.Logits);
        var model = Context.Fit(Options() with { Teacher = teacher, LabelColumnName = null, Epochs = 20 }, view);
        var scored = Context.MulticlassClassification.Trainers.Distill(Options() with { Teacher = teacher, LabelColumnName = null }).ScoreTeacher(model.Transform(view));
        var metrics = Context.MulticlassClassification.EvaluateDistillation(scored, "TeacherScore", "Score", labelColumnName: null);
        Assert.That(metrics.Agreement.Value, Is.GreaterThan(0.9));
    }

    [Test]
    public void Example_weights_count_without_labels()
    {
        foreach (var row in UnlabelledRows)
            row.Weight = 0;
        var view = Context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(Context.Data.LoadFromEnumerable(Rows.Points(3)))
            .Transform(Context.Data.LoadFromEnumerable(UnlabelledRows));
        Assert.That(() => Context.Fit(Options() with { ExampleWeightColumnName = "Weight" }, view), Throws.InvalidOperationException.With.Message.EqualTo(
            "Column 'Weight' gives every row of the training data weight 0, so no row counts. Give some rows a weight above 0, or leave out ExampleWeightColumnName."));
    }
}
