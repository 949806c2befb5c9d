using System.Globalization;
using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>The files of checkpoints in a directory: the role of the network and the number of its steps make the name.</summary>
internal static class CheckpointFiles
{
    private const string Extension = ".safetensors";

    /// <summary>The file of a state.</summary>
    public static string PathOf(string directory, string role, long steps) => Path.Combine(directory, Invariant($"{NameOf(role)}-{steps:000000000000}{Extension}"));

    /// <summary>The files of a network, the last first.</summary>
    public static IReadOnlyList<string> Find(string directory, string role) =>
    [
        .. from path in FilesIn(directory, $"{NameOf(role)}-*{Extension}")
           let steps = ParseSteps(path, role)
           where steps is not null
           orderby steps descending
           select path,
    ];

    /// <summary>All files of checkpoints.</summary>
    public static IReadOnlyList<string> FindAll(string directory) =>
        [.. FilesIn(directory, $"*{Extension}").Where(path => ParseNumber(Path.GetFileNameWithoutExtension(path).Split('-')[^1]) is not null)];

    /// <summary>The roles of the networks that have a checkpoint, in the order in which they were saved last.</summary>
    public static IReadOnlyList<string> FindRoles(string directory) =>
    [
        .. FindAll(directory).GroupBy(RoleOf).OrderBy(files => files.Max(File.GetLastWriteTimeUtc)).Select(files => files.Key),
    ];

    /// <summary>Reads a state.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    public static TrainingState Read(string path)
    {
        using var file = File.OpenRead(path);
        try
        {
            return TrainingState.Load(file);
        }
        catch (InvalidDataException damage)
        {
            throw new InvalidDataException($"The checkpoint '{path}' is damaged. {damage.Message}", damage);
        }
    }

    private static string[] FilesIn(string directory, string pattern) => Directory.Exists(directory) ? Directory.GetFiles(directory, pattern) : [];

    // The roles of the library are letters, digits and spaces.
    private static string NameOf(string role) => role.Replace(' ', '_');

    private static string RoleOf(string path) => Path.GetFileNameWithoutExtension(path).Split('-')[0].Replace('_', ' ');

    private static long? ParseSteps(string path, string role) => ParseNumber(Path.GetFileNameWithoutExtension(path)[(NameOf(role).Length + 1)..]);

    private static long? ParseNumber(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var steps) ? steps : null;
}
