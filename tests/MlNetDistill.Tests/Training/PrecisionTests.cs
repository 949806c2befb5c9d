using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Cache;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>Fits in bfloat16: the students, what is said of them, and what such a fit shares with one in 32-bit floats.</summary>
public sealed class PrecisionTests : CachesInFolder
{
    private static readonly DistillationOptions Lower = Rows.Quick() with { Precision = TrainingPrecision.BFloat16, Epochs = 12 };

    [Test]
    public void A_distilled_student_learns_as_well_and_scores_the_same_from_its_file()
    {
        var points = Rows.Points(300, seed: 9);
        var view = Context.Keyed(points);
        var teacher = Context.Fit(Lower with { Precision = TrainingPrecision.Float32, Student = NetworkSpec.Mlp(32) }, View);
        DistillationTransformer Fit(TrainingPrecision precision) =>
            Context.Fit(Lower with { Precision = precision, Teacher = Teacher.FromTransformer(teacher), Method = DistillationMethod.Kd(), CompareAlone = true }, View);
        var (expected, student) = (Fit(TrainingPrecision.Float32), Fit(TrainingPrecision.BFloat16));
        Assert.That(student.AccuracyOn(points, view), Is.GreaterThan(0.9).And.EqualTo(expected.AccuracyOn(points, view)).Within(0.03));
        Assert.That(student.Scores(view), Is.Not.EqualTo(expected.Scores(view)));

        var path = Path.Combine(Folder.Path, "student.zip");
        Context.Model.Save(student, View.Schema, path);
        Assert.That(Context.Loaded(path).Scores(view), Is.EqualTo(student.Scores(view)));
    }

    [Test]
    public void The_same_seed_gives_the_same_student() => Assert.That(Context.Fit(Lower, View).Scores(View), Is.EqualTo(Context.Fit(Lower, View).Scores(View)));

    [Test]
    public void The_settings_of_options_and_students_name_the_precision()
    {
        Assert.That($"{Lower}", Does.Match(@"(?m)^Precision\s+BFloat16\s*$"));
        Assert.That($"{Rows.Quick()}", Does.Match(@"(?m)^Precision\s+Float32\s*$"));
        var student = Context.Fit(Lower with { Teacher = Teacher.Train(NetworkSpec.Mlp(8)), Method = DistillationMethod.Kd(), CompareAlone = true }, View);
        foreach (var network in new[] { student.Model, ((DistillationTransformer)student.Teacher!).Model, student.Alone!.Model })
            Assert.That(network.Settings.Single(setting => setting.Name == "Precision").Value, Is.EqualTo("BFloat16"));
    }

    [Test]
    public void Students_of_embeddings_train_in_it_too()
    {
        var view = Context.View(ToyEmbeddings.Draw(400, 20));
        EmbeddingTransformer Fit(TrainingPrecision precision) =>
            Context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Precision = precision, ValidationFraction = 0.2, Epochs = 10 }).Fit(view);
        var (expected, student) = (Fit(TrainingPrecision.Float32), Fit(TrainingPrecision.BFloat16));
        Assert.That(student.Model.Settings.Single(setting => setting.Name == "Precision").Value, Is.EqualTo("BFloat16"));
        Assert.That(student.Embeddings(view), Is.Not.EqualTo(expected.Embeddings(view)));
        Assert.That(student.Model.History.Max(epoch => epoch.Validation!.Quality), Is.EqualTo(expected.Model.History.Max(epoch => epoch.Validation!.Quality)).Within(0.02));
        Assert.That(
            () => Context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Precision = (TrainingPrecision)7 }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Precision must be Float32 or BFloat16; was 7."));
    }

    /// <summary>The teacher answers in 32-bit floats, so its answers do not depend on the precision of the student.</summary>
    [Test]
    public void Both_precisions_read_the_same_answers_of_a_teacher_from_its_cache()
    {
        var queried = new Counter();
        Context.Fit(Options(Named(queried), In()), View);
        var before = queried.Rows;
        Context.Fit(Options(Named(queried), In()) with { Precision = TrainingPrecision.BFloat16 }, View);
        Assert.That(queried.Rows, Is.EqualTo(before + 16), "a spot check alone");
        Assert.That(Folder.Entries, Has.Length.EqualTo(1));
    }
}
