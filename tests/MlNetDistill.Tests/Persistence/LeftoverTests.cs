using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Persistence;

/// <summary>What a killed process leaves goes with the next run, and what a living one uses stays.</summary>
public sealed class LeftoverTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private ToyFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void The_file_of_a_killed_save_is_removed_by_the_next_and_that_of_a_living_one_is_not()
    {
        using var process = ToyProbe.Start("save", _folder.File("student.zip"));
        Assert.That(_folder.Entries, Has.Exactly(1).EndsWith(".tmp"), "the process is saving");
        var living = _folder.Entries;

        Save("other.zip");
        Assert.That(_folder.Entries, Is.EquivalentTo([.. living, "other.zip"]));

        Kill(process);
        Save("student.zip");
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "other.zip", "student.zip" }));
    }

    [Test]
    public void The_folder_of_a_killed_process_is_removed_by_the_next_and_that_of_a_living_one_is_not()
    {
        using var process = ToyProbe.Start("cost", _folder.Path);
        Assert.That(_folder.Entries.Any(entry => entry.EndsWith("model.zip", StringComparison.Ordinal)), Is.True, "the process is measuring");
        var living = _folder.Entries;
        var mlContext = new MLContext(seed: 1) { TempFilePath = _folder.Path };

        var model = mlContext.FitPoints();
        Assert.That(_folder.Entries, Is.EqualTo(living));

        Kill(process);
        GC.KeepAlive(mlContext.FitPoints());
        Assert.That(_folder.Entries, Is.Empty);
        GC.KeepAlive(model);
    }

    [Test]
    public void Files_of_others_stay()
    {
        string[] others = [".student.zip.tmp", ".student.zip.lock", "MlNetDistill-notes.txt", "notes.lock"];
        foreach (var other in others)
            File.WriteAllText(_folder.File(other), "");
        Directory.CreateDirectory(_folder.File("MlNetDistill-mine"));
        new MLContext(seed: 1) { TempFilePath = _folder.Path }.FitPoints().LastTransformer.SaveAtomically(_folder.File("student.zip"));
        Assert.That(_folder.Entries, Is.EquivalentTo([.. others, "MlNetDistill-mine", "student.zip"]));
    }

    [Test]
    public void Saves_and_fits_at_once_do_not_take_each_other_for_leftovers()
    {
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            Save($"{i % 4}.zip");
            using var _ = new Core.TemporaryFolder(_folder.Path);
            using var inside = File.Create(Path.Combine(_.Path, "file"));
        });
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "0.zip", "1.zip", "2.zip", "3.zip" }));
        foreach (var name in _folder.Entries)
            Assert.That(() => _mlContext.Model.LoadVerified(_folder.File(name), out var _), Throws.Nothing);
    }

    private static void Kill(Process process)
    {
        process.Kill();
        process.WaitForExit();
    }

    private void Save(string name)
    {
        var points = _mlContext.View(ToyData.Points());
        _mlContext.Model.SaveAtomically(_mlContext.Transforms.CopyColumns("Copy", "Features").Fit(points), points.Schema, _folder.File(name));
    }
}
