using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;

namespace MlNetDistill.Tests.Training;

/// <summary>An application that trains again and again: no fit leaves anything behind.</summary>
[Platform("Linux", Reason = "Open files are counted in /proc.")]
[NonParallelizable]
[Category("NoCulture")]
public sealed class ManyFitsTests
{
    private const int Before = 2;
    private const int Fits = 10;

    // A million weights, 4 MB: one copy of them that each fit leaves would be 40 MB. Memory that is in use varies by 8 MB, with no trend.
    private static readonly NetworkSpec Student = NetworkSpec.Mlp(1000, 1000);

    private const long OneCopyOfEachFit = Fits * 4_000_000L;

    [TestCase(false)]
    [TestCase(true)]
    public void Memory_handles_tensors_and_temporary_files_are_those_of_ten_fits_before(bool cached)
    {
        using var folder = new ToyFolder();
        for (var i = 0; i < Before; i++)
            Fit(folder, cached);
        var (memory, handles, tensors, entries) = (MemoryInUse.Now(), Handles(), Tensors(), folder.Entries);
        for (var i = 0; i < Fits; i++)
            Fit(folder, cached);
        var (memoryNow, handlesNow, tensorsNow, entriesNow) = (MemoryInUse.Now(), Handles(), Tensors(), folder.Entries);
        TestContext.Out.WriteLine(FormattableString.Invariant(
            $"{memory / 1e6:0.0} MB and {handles} handles before, {memoryNow / 1e6:0.0} MB and {handlesNow} handles after; {tensors} and {tensorsNow} tensors"));
        Assert.Multiple(() =>
        {
            Assert.That(memoryNow - memory, Is.LessThan(OneCopyOfEachFit / 2));
            // The runtime's own may come and go.
            Assert.That(handlesNow, Is.LessThan(handles + 10));
            Assert.That(tensorsNow, Is.EqualTo(tensors));
            Assert.That(entriesNow, Is.EqualTo(entries));
            Assert.That(entriesNow.Where(entry => !entry.StartsWith("cache", StringComparison.Ordinal)), Is.Empty);
        });
    }

    private static void Fit(ToyFolder folder, bool cached)
    {
        var context = new MLContext(1) { TempFilePath = folder.Path };
        var view = context.Keyed(Rows.Points());
        var student = context.Fit(
            Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 2)) with
            {
                Student = Student,
                Epochs = 1,
                BatchSize = 64,
                MinimumTeacherAccuracy = 0,
                Augmentations = cached ? [] : [Augmentation.GaussianNoise(0.1)],
                TeacherCache = cached ? new() { Folder = folder.File("cache") } : new(),
            },
            view);
        using var engine = context.Model.CreatePredictionEngine<Point, Scored>(student);
        Assert.That(engine.Predict(Rows.Points()[0]).Score, Has.Length.EqualTo(3));
    }

    private static int Handles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static long Tensors() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}
