using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Hostile.Uses;
using MlNetDistill.Networks;

namespace MlNetDistill.Hostile.Faults;

/// <summary>A folder for temporary files that is full. Each must give an error that names the folder, or work; earlier files must be as they were, and no temporary file may stay.</summary>
internal static class TemporaryCases
{
    private const int DiskKilobytes = 2048;
    private const int Count = 2000;

    // Its ONNX model does not fit into a page.
    private static readonly DistillationOptions Options = Sample.Short() with { Student = NetworkSpec.Mlp(64, 64), BatchSize = 256 };

    public static IEnumerable<Case> All =>
    [
        Refused("a fit", (context, fill) =>
        {
            fill();
            context.Fit(Options, Sample.Points());
        }),
        Refused("a student that is saved", (context, fill) => Save(context, fill, (student, path) => student.SaveAtomically(path))),
        Refused("a pipeline that is saved", (context, fill) => Save(context, fill, (student, path) => context.Model.SaveAtomically(student, Sample.Points().Schema, path))),
        Refused("a model that is loaded", (context, fill) =>
        {
            using var folder = new ToyFolder();
            Log.Context().Fit(Options, Sample.Points()).SaveAtomically(folder.File("student.zip"));
            fill();
            context.Model.LoadVerified(folder.File("student.zip"), out _);
        }),
        Refused("the cost of a model", (context, fill) =>
        {
            var student = Log.Context().Fit(Options, Sample.Points());
            fill();
            context.Model.MeasureCost(student, Rows.Points(100));
        }),
        Refused("the teacher's outputs", (context, fill) =>
        {
            fill();
            context.Fit(Sample.Short(Sample.Teaching()) with { TeacherCache = new() { MemoryLimit = 0 } }, Sample.Points(Count));
        }),
        Case.Refused("temporary folder full: rows in a file", () => OnDisk((folder, fill) =>
        {
            // The rows' file is in the folder of the system.
            var before = Environment.GetEnvironmentVariable("TMPDIR");
            Environment.SetEnvironmentVariable("TMPDIR", folder);
            try
            {
                fill();
                Log.Context().Fit(Options with { RowStorage = new RowStorageOptions { MemoryLimit = 0 } }, Sample.Points(Count));
            }
            finally
            {
                Environment.SetEnvironmentVariable("TMPDIR", before);
            }
        }), "rows", "free", "RowStorage.Folder"),
    ];

    private static Case Refused(string what, Action<MLContext, Action> code) => Case.Refused($"temporary folder full: {what}", () => OnDisk((folder, fill) =>
    {
        var context = Log.Context();
        context.TempFilePath = folder;
        code(context, fill);
    }), "temporary", "free", "TempFilePath");

    private static void Save(MLContext context, Action fill, Action<DistillationTransformer, string> save)
    {
        using var folder = new ToyFolder();
        var path = folder.File("student.zip");
        var student = context.Fit(Options, Sample.Points());
        save(student, path);
        var before = File.ReadAllBytes(path);
        fill();
        try
        {
            save(student, path);
        }
        finally
        {
            Check.That(File.ReadAllBytes(path).AsSpan().SequenceEqual(before), "the earlier file is changed");
            Check.That(folder.Entries.Length == 1, $"left behind: {string.Join(", ", folder.Entries)}");
        }
    }

    private static void OnDisk(Action<string, Action> code)
    {
        using var folder = new ToyFolder();
        using var disk = SmallDisk.TryMount(folder.Path, DiskKilobytes, out var whyNot) ?? throw new SkippedException(whyNot);
        try
        {
            code(folder.Path, () => disk.Fill(0));
        }
        finally
        {
            // A finaliser that writes to the full disk would end the process.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var left = Directory.EnumerateFileSystemEntries(folder.Path).Where(path => Path.GetFileName(path) != "filler").ToList();
            Check.That(left.Count == 0, $"left behind: {string.Join(", ", left)}");
        }
    }
}
