using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>Rows per second and memory of a training in one precision, in a process of its own: libtorch keeps the memory that earlier trainings needed.</summary>
internal static class Measurement
{
    public const string Command = "--measure";

    /// <summary>Starts this program for the measurement; gives its line.</summary>
    public static string InProcess(Settings settings, TrainingPrecision precision)
    {
        string[] arguments = ["--device", settings.DeviceName, "--out", settings.Folder, Command, $"{precision}"];
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var lines = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Fault.If(process.ExitCode != 0, $"its process ended with {process.ExitCode}: {lines}");
        return lines.Trim();
    }

    /// <summary>Trains and writes a line.</summary>
    public static int Run(Settings settings, TrainingPrecision precision)
    {
        Worker.LoadLibraries(settings);
        var (rows, batch, epochs) = settings.IsGpu ? (16_384, 2048, 6) : (64, 32, 2);
        var context = new MLContext(1);
        var view = context.MadeUp(rows);
        // What libtorch holds on the device before anything is trained.
        using (NewDisposeScope())
            _ = ones(1, device: settings.Device).sum().item<float>();
        var before = MemoryChecks.Held(settings);
        var model = context.Fit(
            Pair.Quick with
            {
                Student = NetworkSpec.ResNet(20, 64, 64, 128, 256),
                Precision = precision,
                Optimizer = Optimizer.Sgd(0.01),
                Epochs = epochs,
                BatchSize = batch,
                Device = settings.Training,
            },
            view);
        var after = settings.IsGpu ? MemoryChecks.Held(settings) : Process.GetCurrentProcess().PeakWorkingSet64;
        var speeds = model.Model.History.Skip(1).Select(epoch => epoch.RowsPerSecond).Order().ToArray();
        Console.WriteLine(FormattableString.Invariant(
            $"{model.Model.Settings.First(s => s.Name == "Precision").Value}: {speeds[speeds.Length / 2]:0} rows/s by the median epoch, {(after - before) >> 20} MiB more {(settings.IsGpu ? "of the device" : "at the peak")}, batches of {batch}"));
        return 0;
    }
}
