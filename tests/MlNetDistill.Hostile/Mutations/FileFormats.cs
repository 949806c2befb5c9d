namespace MlNetDistill.Hostile.Mutations;

/// <summary>The formats that the library reads.</summary>
internal static class FileFormats
{
    public static IReadOnlyList<FileFormat> All { get; } =
    [
        new StudentZip(), new RezippedStudent(), new TeacherCaches(), new UnfinishedTeacherCache(), new Checkpoints(),
        new OnnxTeacher(), new OnnxFields(), new ScriptTeacher(), new RezippedScript(), new ScriptCode(), new NetworkJson(),
    ];

    public static FileFormat Named(string name) => All.FirstOrDefault(format => format.Name == name)
        ?? throw new UsageException($"There is no format '{name}'; there are {string.Join(", ", All.Select(format => format.Name))}.");
}
