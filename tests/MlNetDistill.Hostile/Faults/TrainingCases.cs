using MlNetDistill.Hostile.Uses;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Hostile.Faults;

/// <summary>Disks that fail under a training that saves checkpoints: the training goes on, and the last checkpoint stays.</summary>
internal static class TrainingCases
{
    private const int DiskKilobytes = 2048;
    private const int BreaksAfter = 2;

    public static IEnumerable<Case> All =>
    [
        Survives("disk full", disk => disk.Fill(0)),
        Survives("disk full midway", disk => disk.Fill(4096)),
        Case.Refused("disk full: directory of a training that begins", () => OnDisk((folder, disk) =>
        {
            disk.Fill(0);
            Sample.Fit(In(folder));
        }), "checkpoint", "free"),
    ];

    private static Case Survives(string fault, Action<SmallDisk> breakDisk) => Case.Told($"{fault}: checkpoints of a training that runs", () => OnDisk((folder, disk) =>
    {
        string[] saved = [];
        var whole = Sample.Fit(In(folder) with { CheckpointDirectory = null });
        var student = Sample.Fit(In(folder) with
        {
            Progress = new Sink(progress =>
            {
                if (progress.Epoch != BreaksAfter)
                    return;
                saved = Directory.GetFiles(Path.Combine(folder, "checkpoints"), "*.safetensors", SearchOption.AllDirectories);
                breakDisk(disk);
            }),
        });
        Check.That(student.Scores(Sample.Points()).SequenceEqual(whole.Scores(Sample.Points()), RowComparer.Instance), "the student is another one");
        Check.That(saved.Length == 1 && File.Exists(saved[0]), "the last checkpoint is gone");
        Check.That(Checkpoint.Open(Path.Combine(folder, "checkpoints")).Student is { Epochs: 1 }, "the last checkpoint is not that of epoch 1");
    }), "could not be saved", "Training continues");

    private static DistillationOptions In(string folder) => Sample.Short() with
    {
        Student = NetworkSpec.Mlp(64, 64),
        Epochs = 4,
        CheckpointDirectory = Path.Combine(folder, "checkpoints"),
        Checkpoints = new CheckpointOptions { Interval = null, EveryEpochs = 1, Keep = 1 },
    };

    private static void OnDisk(Action<string, SmallDisk> code)
    {
        using var folder = new ToyFolder();
        using var disk = SmallDisk.TryMount(folder.Path, DiskKilobytes, out var whyNot) ?? throw new SkippedException(whyNot);
        code(folder.Path, disk);
    }

    private sealed class Sink(Action<TrainingProgress> happens) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => happens(value);
    }

    private sealed class RowComparer : IEqualityComparer<float[]>
    {
        public static readonly RowComparer Instance = new();

        public bool Equals(float[]? x, float[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(float[] obj) => obj.Length;
    }
}
