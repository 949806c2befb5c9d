using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>ML.NET models of many kinds as teachers.</summary>
public sealed class TransformerKindsTests
{
    private static readonly string[] Words = ["leaf", "root", "bark", "seed", "cone", "moss", "twig", "sap"];
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_text_pipeline_teaches_a_student_of_other_features_and_its_cache_depends_on_the_texts()
    {
        var rows = Reviews(160);
        var train = _context.Data.LoadFromEnumerable(rows);
        var teacher = _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(_context.Transforms.Text.FeaturizeText("Words", "Text"))
            .Append(_context.MulticlassClassification.Trainers.SdcaMaximumEntropy("TeacherClass", "Words")).Fit(train);
        using var folder = new ToyFolder();
        // Cached in a folder, so the texts are hashed, and so is the model.
        ITransformer Fit(IDataView view) => _context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_context.Transforms.Text.ProduceHashedWordBags("Features", "Text", numberOfBits: 6, ngramLength: 1))
            .Append(_context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromTransformer(teacher)) with
            {
                Epochs = 20,
                TeacherCache = new TeacherCacheOptions { Folder = folder.Path },
            })).Fit(view);

        var student = Fit(train);
        var metrics = _context.MulticlassClassification.Evaluate(student.Transform(train), "Class");
        Assert.Multiple(() =>
        {
            Assert.That(metrics.MicroAccuracy, Is.GreaterThan(0.9));
            Assert.That(folder.Entries, Has.Length.EqualTo(1));
        });
        Fit(train);
        Assert.That(folder.Entries, Has.Length.EqualTo(1));
        rows[3].Text += " moss";
        Fit(_context.Data.LoadFromEnumerable(rows));
        Assert.That(folder.Entries, Has.Length.EqualTo(2), "a word more is another text");
    }

    [Test]
    public void A_pairwise_model_of_calibrated_classifiers_teaches() => Teaches(c => c.MulticlassClassification.Trainers.PairwiseCoupling(
        c.BinaryClassification.Trainers.SdcaLogisticRegression("TeacherClass"), "TeacherClass"));

    [Test]
    public void A_one_versus_all_model_of_calibrated_classifiers_teaches() => Teaches(c => c.MulticlassClassification.Trainers.OneVersusAll(
        c.BinaryClassification.Trainers.AveragedPerceptron("TeacherClass"), "TeacherClass"));

    [Test]
    public void A_pipeline_that_was_saved_and_loaded_teaches_as_it_did()
    {
        var view = _context.Keyed(Rows.Points());
        var teacher = _context.Regression().Fit(view);
        using var folder = new ToyFolder();
        _context.Model.Save(teacher, view.Schema, folder.File("teacher.zip"));
        var loaded = _context.Loaded(folder.File("teacher.zip"));
        float[][] Fit(ITransformer model) => _context.Fit(Rows.Quick(Teacher.FromTransformer(model)), view).Scores(view);
        Assert.That(Fit(loaded), Is.EqualTo(Fit(teacher)));
    }

    [Test]
    public void A_student_teaches_the_next_one()
    {
        var view = _context.Keyed(Rows.Points());
        var assistant = _context.Fit(Rows.Quick(Teacher.FromTransformer(_context.Regression().Fit(view))) with { Student = NetworkSpec.Mlp(16), Epochs = 12 }, view);
        using var folder = new ToyFolder();
        var options = Rows.Quick(Teacher.FromTransformer(assistant)) with { Method = DistillationMethod.Kd(alpha: 1), TeacherCache = new TeacherCacheOptions { Folder = folder.Path } };
        var student = _context.Fit(options, view);
        Assert.Multiple(() =>
        {
            Assert.That(student.AccuracyOn(Rows.Points(), view), Is.GreaterThan(0.9));
            Assert.That(_context.Fit(options, view).Scores(view), Is.EqualTo(student.Scores(view)));
            Assert.That(folder.Entries, Has.Length.EqualTo(1), "a student can be saved, so it is known by its bytes");
        });
    }

    private void Teaches(Func<MLContext, IEstimator<ITransformer>> trainer)
    {
        var view = _context.Keyed(Rows.Points());
        var teacher = _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label").Append(trainer(_context)).Fit(view);
        var options = Rows.Quick(Teacher.FromTransformer(teacher)) with { Method = DistillationMethod.Kd(temperature: 2, alpha: 1), Epochs = 15 };
        Assert.That(_context.Fit(options, view).AccuracyOn(Rows.Points(), view), Is.GreaterThan(0.9));
    }

    private static Review[] Reviews(int count)
    {
        var random = new Random(8);
        return [.. Enumerable.Range(0, count).Select(i => new Review
        {
            Label = Rows.Classes[i % 3],
            Text = string.Join(' ', Enumerable.Range(0, 6).Select(_ => Words[random.Next(3) == 0 ? random.Next(Words.Length) : (2 * (i % 3)) + random.Next(2)])),
        })];
    }

    private sealed class Review
    {
        public string Label { get; set; } = "";

        public string Text { get; set; } = "";
    }
}
