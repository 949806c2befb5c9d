using System.CommandLine;
using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>Many short fits in one process, and what it holds of the machine after some of them: what grows with each fit is never given back.</summary>
internal static class ManyFits
{
    public static Command Command()
    {
        var fits = new Option<int>("--fits") { DefaultValueFactory = _ => 500 };
        var every = new Option<int>("--report-every") { DefaultValueFactory = _ => 50 };
        var kind = new Option<string>("--kind") { Description = "labels alone, KD of a trained network with augmentation, or KD with a teacher cache in a folder", DefaultValueFactory = _ => "labels" }
            .AcceptOnlyFromAmong("labels", "kd", "cache");
        var command = new Command("life", "Many short fits in one process: memory, handles, threads, temporary files and tensors.") { fits, every, kind };
        command.SetAction(given => Run(given.GetValue(fits), given.GetValue(every), given.GetValue(kind)!));
        return command;
    }

    private static void Run(int fits, int every, string kind)
    {
        var folder = Directory.CreateTempSubdirectory("MlNetDistill.Life-");
        try
        {
            var clock = Stopwatch.StartNew();
            for (var fit = 0; fit <= fits; fit++)
            {
                if (fit % every == 0 || fit == 1)
                    Console.WriteLine(FormattableString.Invariant($"{fit} fits in {clock.Elapsed.TotalSeconds:0} s: {State(folder.FullName)}"));
                if (fit < fits)
                    Fit(folder.FullName, kind);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Fit(string folder, string kind)
    {
        var mlContext = new MLContext(1) { TempFilePath = folder };
        var view = LifeSample.View(mlContext, 200, seed: 1);
        var options = LifeSample.Short(seed: 1);
        if (kind != "labels")
        {
            options = options with
            {
                Teacher = Teacher.Train(NetworkSpec.Mlp(8), epochs: 1),
                Method = DistillationMethod.Kd(),
                MinimumTeacherAccuracy = 0,
                Augmentations = kind == "kd" ? [Augmentation.GaussianNoise(0.1)] : [],
                TeacherCache = kind == "cache" ? new() { Folder = Path.Combine(folder, "cache") } : new(),
            };
        }

        mlContext.MulticlassClassification.Trainers.Distill(options).Fit(view);
    }

    /// <summary>After a collection: a student has no Dispose, its native memory goes with it.</summary>
    /// <remarks>
    /// <c>Tensor.TotalCount</c> is not shown: in TorchSharp 0.107 it grows by one with each parameter of each module, because <c>Parameter</c> takes the native tensor out of
    /// the tensor that it is made from, and only one of the two is subtracted again. No memory stays: a process that makes and disposes 6,000 parameters of 400 kB keeps
    /// its size (LiveTensorTests has a test of that). The statistics of the dispose scopes do not have this fault.
    /// </remarks>
    private static string State(string folder)
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return FormattableString.Invariant(
            $"{ProcessState.Of("self", folder)}, {GC.GetTotalMemory(false) / 1e6:0.0} MB managed, {TorchSharp.DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount} tensors of this thread");
    }
}
