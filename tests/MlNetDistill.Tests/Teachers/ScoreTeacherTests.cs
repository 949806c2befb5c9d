using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Teachers;

public sealed class ScoreTeacherTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void A_model_gives_its_own_scores_in_the_order_of_the_students_classes()
    {
        // The teacher meets the classes in another order than the student does.
        var rows = _mlContext.View(ToyData.Points());
        var teacher = _mlContext.TeacherPipeline().Fit(_mlContext.View(ToyData.Points()[1..]));
        var keyed = Keyed(rows);

        var scored = Trainer(Teacher.FromTransformer(teacher)).ScoreTeacher(keyed);

        var own = teacher.Transform(rows);
        var (ownNames, names) = (SlotNames(own.Schema["Score"]), SlotNames(scored.Schema["TeacherScore"]));
        Assert.That(names, Is.EqualTo(new[] { "bee", "cat", "ant" }), "the classes in order of first occurrence");
        Assert.That(ownNames, Is.Not.EqualTo(names));
        var order = names.Select(name => Array.IndexOf(ownNames, name)).ToArray();
        var expected = ModelScores.ReadScores(own).Select(row => order.Select(i => row[i]).ToArray()).ToArray();
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(scored, "TeacherScore"), expected), Is.LessThan(1e-6f));
    }

    [Test]
    public void The_other_columns_stay_as_they_are()
    {
        var keyed = Keyed(_mlContext.View(ToyData.Points()));

        var scored = Trainer(SomeTeacher(keyed)).ScoreTeacher(keyed, "Oracle");

        Assert.Multiple(() =>
        {
            Assert.That(scored.Schema.Select(c => c.Name), Is.EqualTo(keyed.Schema.Select(c => c.Name).Append("Oracle")));
            Assert.That(scored.GetColumn<string>("Label"), Is.EqualTo(keyed.GetColumn<string>("Label")));
            Assert.That(scored.GetColumn<float[]>("Features"), Is.EqualTo(keyed.GetColumn<float[]>("Features")));
            Assert.That(scored.GetColumn<uint>("Class"), Is.EqualTo(keyed.GetColumn<uint>("Class")));
        });
    }

    [TestCase("Class", "LabelColumnName")]
    [TestCase("Features", "FeatureColumnName")]
    [TestCase("Score", "ScoreColumnName")]
    public void The_scores_hide_no_column_of_the_trainer(string name, string option)
    {
        var keyed = Keyed(_mlContext.View(ToyData.Points()));
        Assert.That(
            () => Trainer(SomeTeacher(keyed)).ScoreTeacher(keyed, name),
            Throws.ArgumentException.With.Message.StartsWith($"outputColumnName must not be '{name}', which is the trainer's {option}: one column would hide the other."));
    }

    [Test]
    public void A_network_from_a_file_is_asked_like_any_other()
    {
        string[] letters = [.. Enumerable.Range('A', 26).Select(c => $"{(char)c}")];
        var rows = _mlContext.Letters();
        var keyed = Keyed(rows);
        var options = ToyPipelines.Options() with
        {
            Teacher = Teacher.FromOnnx(RealRows.PathOf("letter-teacher.onnx"), new OnnxOutputs("logits"), new TeacherInput { ColumnName = "Features" }, classNames: letters),
            Method = DistillationMethod.Kd(),
        };

        var scored = _mlContext.MulticlassClassification.Trainers.Distill(options).ScoreTeacher(keyed);

        var names = SlotNames(scored.Schema["TeacherScore"]);
        var right = ModelScores.ReadScores(scored, "TeacherScore").Zip(rows.GetColumn<string>("Label"), (p, label) => names[Array.IndexOf(p, p.Max())] == label).Average(hit => hit ? 1.0 : 0.0);
        Assert.That(right, Is.GreaterThan(0.9));
    }

    [Test]
    public void Rows_without_a_label_are_asked_about_too()
    {
        var points = ToyData.Points();
        var keys = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_mlContext.View(points));
        foreach (var point in points)
            point.Label = "";
        var unlabelled = keys.Transform(_mlContext.View(points));

        var scored = Trainer(SomeTeacher(unlabelled)).ScoreTeacher(unlabelled);

        Assert.That(ModelScores.ReadScores(scored, "TeacherScore"), Has.Length.EqualTo(points.Length).And.All.Length.EqualTo(3));
    }

    [Test]
    public void Rows_that_are_to_be_dropped_are_left_out()
    {
        var points = ToyData.Points();
        points[7].Features[0] = float.NaN;
        var keyed = Keyed(_mlContext.View(points));
        var options = ToyPipelines.Options() with { Teacher = SomeTeacher(keyed), Method = DistillationMethod.Kd(), MissingFeatures = MissingFeatures.Drop };

        var scored = _mlContext.MulticlassClassification.Trainers.Distill(options).ScoreTeacher(keyed);

        Assert.That(scored.GetColumn<string>("Label"), Is.EqualTo(points.Where((_, i) => i != 7).Select(p => p.Label)));
        Assert.That(ModelScores.ReadScores(scored, "TeacherScore"), Has.Length.EqualTo(points.Length - 1));
    }

    [Test]
    public void A_cache_in_a_folder_is_used_by_the_next_call()
    {
        using var folder = new ToyFolder();
        var keyed = Keyed(_mlContext.View(ToyData.Points()));
        var asked = 0;
        var model = _mlContext.Says(keyed, _ =>
        {
            Interlocked.Increment(ref asked);
            return [0.2f, 0.3f, 0.5f];
        });
        var options = ToyPipelines.Options() with
        {
            Teacher = Teacher.FromTransformer(model, classNames: ["ant", "bee", "cat"], cacheKey: "one"),
            Method = DistillationMethod.Kd(),
            TeacherCache = new TeacherCacheOptions { Folder = folder.Path },
        };
        var trainer = _mlContext.MulticlassClassification.Trainers.Distill(options);

        var first = ModelScores.ReadScores(trainer.ScoreTeacher(keyed), "TeacherScore");
        var afterFirst = asked;
        var second = ModelScores.ReadScores(trainer.ScoreTeacher(keyed), "TeacherScore");

        Assert.That(afterFirst, Is.GreaterThan(0));
        Assert.That(asked, Is.EqualTo(afterFirst + 16), "16 rows are queried again");
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void Options_of_training_do_not_change_the_scores()
    {
        using var folder = new ToyFolder();
        var keyed = Keyed(_mlContext.View(ToyData.Points()));
        using var network = ToyModels.Points.LastTransformer.Model.ToNetwork();
        var teacher = Teacher.FromModule(network, network.forward, classNames: ["bee", "cat", "ant"]);
        var options = ToyPipelines.Options() with { Teacher = teacher, Method = DistillationMethod.Kd() };
        var learning = options with
        {
            ValidationFraction = 0.3,
            EarlyStopping = new EarlyStopping(),
            ExampleWeightColumnName = "Nowhere",
            Augmentations = [Augmentation.Mixup(1)],
            TeacherCache = new TeacherCacheOptions { Folder = folder.Path, Precision = CachePrecision.Half, TopK = 1, AugmentedViews = 2 },
        };

        float[][] Answers(DistillationOptions given) =>
            ModelScores.ReadScores(_mlContext.MulticlassClassification.Trainers.Distill(given).ScoreTeacher(keyed), "TeacherScore");

        Assert.That(Answers(learning), Is.EqualTo(Answers(options)));
    }

    [Test]
    public void A_name_of_the_training_data_does_not_name_other_rows()
    {
        using var folder = new ToyFolder();
        var (train, test) = (Keyed(_mlContext.View(ToyData.Points())), Keyed(_mlContext.View(ToyData.Points(seed: 2))));
        var says = _mlContext.Says(train, features => features[3] > 0.5f ? [0.1f, 0.2f, 0.7f] : [0.6f, 0.3f, 0.1f]);
        DistillationTrainer Kept(TeacherCacheOptions cache) => _mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options() with
        {
            Teacher = Teacher.FromTransformer(says, classNames: ["ant", "bee", "cat"], cacheKey: "one"),
            Method = DistillationMethod.Kd(),
            TeacherCache = cache,
        });
        var named = Kept(new TeacherCacheOptions { Folder = folder.Path, CacheKey = "the training rows" });

        named.ScoreTeacher(train);

        Assert.That(ModelScores.ReadScores(named.ScoreTeacher(test), "TeacherScore"), Is.EqualTo(ModelScores.ReadScores(Kept(new()).ScoreTeacher(test), "TeacherScore")));
    }

    [Test]
    public void A_teacher_that_is_yet_to_be_trained_is_refused() => Assert.That(
        () => Trainer(Teacher.Train(NetworkSpec.Mlp(8))).ScoreTeacher(Keyed(_mlContext.View(ToyData.Points()))),
        Throws.InvalidOperationException.With.Message.Contains("MLP 8").And.Message.Contains("DistillationTransformer.Teacher"));

    private static string[] SlotNames(DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }

    private IDataView Keyed(IDataView rows) => _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(rows).Transform(rows);

    private Teacher SomeTeacher(IDataView keyed) =>
        Teacher.FromTransformer(_mlContext.Says(keyed, features => features[1] > 0 ? [0.1f, 0.2f, 0.7f] : [0.6f, 0.3f, 0.1f]), classNames: ["ant", "bee", "cat"]);

    private DistillationTrainer Trainer(Teacher teacher) =>
        _mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options() with { Teacher = teacher, Method = DistillationMethod.Kd() });
}
