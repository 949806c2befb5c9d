using System.Runtime.CompilerServices;
using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Persistence;

/// <summary>What fits, models and saves leave in MLContext.TempFilePath, and what they do where it cannot be used.</summary>
public sealed class TemporaryFilesTests
{
    private ToyFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Twenty_fits_leave_none_while_their_models_are_alive()
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("Windows keeps the file of an open ONNX session.");
        var mlContext = Context(_folder.Path);
        var models = new List<ITransformer>();
        for (var i = 0; i < 10; i++)
        {
            models.Add(mlContext.Pipeline(ToyPipelines.Options() with { Epochs = 1 }).Fit(mlContext.View(ToyData.Points())));
            var images = ToyPipelines.Options(ToyPipelines.SmallResNet) with { Epochs = 1, FeatureColumnName = "Pixels" };
            models.Add(mlContext.Pipeline(images).Fit(mlContext.View(ToyData.Images(rows: 60))));
        }

        Assert.That(_folder.Entries, Is.Empty);
        GC.KeepAlive(models);
    }

    [Test]
    public void Saving_leaves_none()
    {
        var mlContext = Context(_folder.Path);
        var model = mlContext.FitPoints();
        mlContext.Saved(model, mlContext.View(ToyData.Points()).Schema);
        if (!OperatingSystem.IsWindows())
            Assert.That(_folder.Entries, Is.Empty);
        Assert.That(_folder.Entries.Where(e => e.EndsWith(".onnx", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void A_model_is_saved_after_the_temporary_folder_vanished()
    {
        var folder = Directory.CreateDirectory(_folder.File("vanishing"));
        var mlContext = Context(folder.FullName);
        var model = mlContext.FitImages();
        folder.Delete(recursive: true);
        AssertSavable(model);
        Assert.That(folder.Exists, Is.False, "a folder that the user removed does not come back");
    }

    [Test]
    public void A_model_is_fitted_and_saved_where_the_temporary_folder_cannot_be_written()
    {
        // A folder below a file can be neither made nor written, not even by an administrator.
        var file = _folder.File("file");
        File.WriteAllText(file, "");
        AssertSavable(Context(Path.Combine(file, "below")).FitImages());
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "file" }));
    }

    [Test]
    public void A_student_is_saved_atomically_where_the_temporary_folder_cannot_be_written()
    {
        var file = _folder.File("file");
        File.WriteAllText(file, "");
        Context(Path.Combine(file, "below")).FitPoints().LastTransformer.SaveAtomically(_folder.File("student.zip"));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "file", "student.zip" }));
    }

    [Test]
    public void A_pipeline_is_saved_atomically_where_the_temporary_folder_cannot_be_written()
    {
        var file = _folder.File("file");
        File.WriteAllText(file, "");
        var mlContext = Context(Path.Combine(file, "below"));
        var points = mlContext.View(ToyData.Points());
        mlContext.Model.SaveAtomically(mlContext.FitPoints(), points.Schema, _folder.File("pipeline.zip"));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "file", "pipeline.zip" }));
    }

    [Test]
    public void Models_that_nobody_uses_any_more_are_finalised_quietly()
    {
        FitAndForget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(_folder.Entries, Is.Empty);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FitAndForget() => Context(_folder.Path).FitPoints();

    private static MLContext Context(string temporary) => new(seed: 1) { TempFilePath = temporary };

    private static void AssertSavable(ITransformer model)
    {
        var mlContext = new MLContext();
        var images = mlContext.View(ToyData.Images());
        Assert.That(ModelScores.ReadLines(mlContext.Reloaded(model, images.Schema).Transform(images)), Is.EqualTo(ModelScores.ReadLines(model.Transform(images))));
    }
}
