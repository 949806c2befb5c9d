using System.Text.Json;
using MlNetDistill.Diagnostics;
using MlNetDistill.Hostile.Uses;
using MlNetDistill.Training;

namespace MlNetDistill.Hostile.Faults;

/// <summary>Disks that fail under the files of the library's progress sinks: a file that cannot be opened is an error, one that cannot be written costs a warning and no training.</summary>
internal static class ProgressCases
{
    private const int DiskKilobytes = 2048;

    // Their lines do not fit into the rest of a page.
    private const int Epochs = 40;

    private static readonly DistillationOptions Options = Sample.Short() with { Epochs = Epochs };

    public static IEnumerable<Case> All =>
    [
        Survives("JSON lines", "progress.jsonl", folder => new JsonLinesProgress(Path.Combine(folder, "progress.jsonl")), folder =>
        {
            var lines = File.ReadAllText(Path.Combine(folder, "progress.jsonl")).Split('\n').SkipLast(1).ToList();
            Check.That(lines.Count is > 0 and < Epochs, $"{lines.Count} lines");
            Check.Equal(lines.Select(line => JsonSerializer.Deserialize<TrainingProgress>(line, JsonSerializerOptions.Web)!.Epoch).Last(), lines.Count, "the last epoch that was written");
        }),
        Survives("TensorBoard", "events.out", folder => new TensorBoardProgress(folder), _ => { }),
        Case.Told("disk full: JSON lines of a training that begins", () => OnDisk((folder, disk) =>
        {
            disk.Fill(0);
            using var sink = new JsonLinesProgress(Path.Combine(folder, "progress.jsonl"));
            Sample.Fit(Options with { Progress = sink });
        }), "progress.jsonl", "free", "Training continues"),
        Case.Refused("disk full: TensorBoard of a training that begins", () => OnDisk((folder, disk) =>
        {
            disk.Fill(0);
            try
            {
                using var sink = new TensorBoardProgress(folder);
            }
            finally
            {
                Check.That(!Directory.EnumerateFiles(folder, "events*").Any(), "an empty file stays");
            }
        }), "events.out", "free", "progress"),
        Case.Refused("read-only disk: JSON lines", () => OnDisk((folder, disk) =>
        {
            disk.MakeReadOnly();
            using var sink = new JsonLinesProgress(Path.Combine(folder, "progress.jsonl"));
        }), "progress.jsonl", "folder", "progress of the training"),
        Case.Refused("read-only disk: TensorBoard", () => OnDisk((folder, disk) =>
        {
            disk.MakeReadOnly();
            using var sink = new TensorBoardProgress(folder);
        }), "events.out", "folder", "progress of the training"),
        Case.Refused("read-only disk: a folder for TensorBoard", () => OnDisk((folder, disk) =>
        {
            disk.MakeReadOnly();
            using var sink = new TensorBoardProgress(Path.Combine(folder, "run"));
        }), "run", "folder", "progress of the training"),
    ];

    private static Case Survives<T>(string name, string file, Func<string, T> open, Action<string> check)
        where T : IProgress<TrainingProgress>, IDisposable => Case.Told($"disk full: {name} of a training that runs", () => OnDisk((folder, disk) =>
    {
        using var sink = open(folder);
        var student = Sample.Fit(Options with { Progress = ProgressSinks.All(new Breaks(disk), sink) });
        Check.That(student.Model.History.Count == Epochs, "the training did not go on");
        check(folder);
    }), file, "free", "Training continues");

    private static void OnDisk(Action<string, SmallDisk> code)
    {
        using var folder = new ToyFolder();
        using var disk = SmallDisk.TryMount(folder.Path, DiskKilobytes, out var whyNot) ?? throw new SkippedException(whyNot);
        code(folder.Path, disk);
    }

    private sealed class Breaks(SmallDisk disk) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Epoch == 2)
                disk.Fill(0);
        }
    }
}
