using System.Reflection;

namespace MlNetDistill.Tests.Support;

/// <summary>Where this repository is, and what its build knew.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>A property of the build that these tests come from.</summary>
    public static string Built(string name) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == name).Value!;

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MlNetDistill.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests must run from inside the repository: MlNetDistill.sln was not found above them.");
    }
}
