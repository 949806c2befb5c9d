using System.Security.Cryptography;

namespace MlNetDistill.Hostile.Faults;

/// <summary>
/// Disks that are full, read-only, gone or without locks. Each must give an error that names the file, what was written and what to do, or work; earlier files must be
/// as they were, and no temporary file may stay.
/// </summary>
internal static class FaultCases
{
    private const int DiskKilobytes = 2048;
    private const int Page = 4096;

    /// <summary>Those for processes whose files have no locks.</summary>
    public const string WithoutLocks = "no locks";

    public static IReadOnlyList<Case> All { get; } =
    [
        .. Writing.All.SelectMany(Of).OrderBy(fault => fault.Name, StringComparer.Ordinal), .. TrainingCases.All, .. TemporaryCases.All,
        .. ProgressCases.All, .. MemoryCases.All,
    ];

    private static IEnumerable<Case> Of(Writing writing)
    {
        yield return Refused(writing, "disk full", disk => disk.Fill(0), "free");
        yield return Refused(writing, "disk full midway", disk => disk.Fill(Page), "free");
        yield return Refused(writing, "read-only disk", disk => disk.MakeReadOnly(), "folder");
        yield return OnPlainDisk(writing.CreatesFolder ? Case.Works : (name, code) => Case.Refused(name, code, "does not exist", "student.zip"), writing, "folder gone", folder =>
        {
            Directory.Delete(folder, recursive: true);
            Attempt(writing, folder, writing.Write);
        });
        if (writing.WriteWhile is { } writeWhile)
        {
            yield return OnPlainDisk((name, code) => Case.Refused(name, code, [.. writing.Words, "the folder", "create"]), writing, "folder vanishes", folder =>
                writeWhile(folder, () => Empty(folder)));
        }

        yield return OnPlainDisk(Case.Works, writing, WithoutLocks, folder =>
        {
            Check.That(CanOpenTwice(folder), "files have locks in this process");
            Attempt(writing, folder, writing.Write);
            Check.That(!Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any(IsTemporary), "a temporary file stays");
        });
    }

    private static Case Refused(Writing writing, string fault, Action<SmallDisk> breakDisk, params string[] words) => Case.Refused(
        $"{fault}: {writing.Name}",
        () =>
        {
            using var folder = new ToyFolder();
            using var disk = SmallDisk.TryMount(folder.Path, DiskKilobytes, out var whyNot) ?? throw new SkippedException(whyNot);
            writing.Before(folder.Path);
            var before = Hashes(folder.Path);
            breakDisk(disk);
            try
            {
                writing.Write(folder.Path);
            }
            finally
            {
                CheckFiles(writing, folder.Path, before);
            }
        },
        [.. writing.Words, .. words]);

    private static Case OnPlainDisk(Func<string, Action, Case> create, Writing writing, string fault, Action<string> code) => create($"{fault}: {writing.Name}", () =>
    {
        using var folder = new ToyFolder();
        writing.Before(folder.Path);
        code(folder.Path);
        Directory.CreateDirectory(folder.Path);
    });

    /// <summary>Also when it fails, the folder must be there to be deleted.</summary>
    private static void Attempt(Writing writing, string folder, Action<string> write)
    {
        try
        {
            write(folder);
        }
        finally
        {
            Directory.CreateDirectory(folder);
        }
    }

    private static void Empty(string folder)
    {
        foreach (var inside in Directory.GetDirectories(folder))
            Directory.Delete(inside, recursive: true);
    }

    private static void CheckFiles(Writing writing, string folder, Dictionary<string, string> before)
    {
        var after = Hashes(folder);
        foreach (var (name, hash) in before)
            Check.That(after.Remove(name, out var now) && now == hash, $"the earlier file {name} is changed or gone");
        after.Remove("filler");
        var left = after.Keys.Where(name => IsTemporary(name) || !writing.CreatesFolder).Where(name => !writing.Continued.Any(end => name.EndsWith(end, StringComparison.Ordinal)));
        Check.That(!left.Any(), $"left behind: {string.Join(", ", left)}");
    }

    private static bool IsTemporary(string name) =>
        name.Contains(".MlNetDistill", StringComparison.Ordinal) || name.EndsWith(".tmp", StringComparison.Ordinal) || name.EndsWith(".lock", StringComparison.Ordinal);

    private static Dictionary<string, string> Hashes(string folder) => Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        .ToDictionary(file => Path.GetRelativePath(folder, file), file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))));

    private static bool CanOpenTwice(string folder)
    {
        var path = Path.Combine(folder, "probe");
        using var first = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        try
        {
            using var second = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
