using System.Xml.Linq;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Packages;

/// <summary>
/// The packages, packed for these tests from two copies of the sources in folders of different names and depths. The copies hold what lies here, committed
/// or not; their commit and remote are invented, so that nothing depends on the clone that the tests run in.
/// </summary>
[SetUpFixture]
internal sealed class PackedTwice
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    /// <summary>No version of this name is ever published, so none can lie in a cache.</summary>
    public const string Version = "0.1.0-tests";

    private static readonly string[] Sources = ["README.md", "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig", ".gitignore"];
    private static ToyFolder? _folder;

    /// <summary>The folders of packages.</summary>
    public static string[] Folders { get; private set; } = [];

    /// <summary>The folders of sources, which must not be named in a package.</summary>
    public static string[] Copies { get; private set; } = [];

    public static string Home { get; } = XDocument.Load(Path.Combine(Repository.Root, "src", "Directory.Build.props"))
        .Descendants("PackageProjectUrl").Single().Value;

    [OneTimeSetUp]
    public void Pack()
    {
        _folder = new ToyFolder();
        Copies = [_folder.File($"first-{Guid.NewGuid():N}"), Path.Combine(_folder.File("deeper"), $"and with spaces {Guid.NewGuid():N}")];
        Folders = [.. Copies.Select(PackedFrom)];
    }

    [OneTimeTearDown]
    public void Delete() => _folder?.Dispose();

    private static string PackedFrom(string copy)
    {
        foreach (var file in Sources.Select(name => Path.Combine(Repository.Root, name)).Concat(SourcesOfLibraries()))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(Repository.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        // As much of a clone as the build reads.
        var git = Directory.CreateDirectory(Path.Combine(copy, ".git"));
        git.CreateSubdirectory("objects");
        git.CreateSubdirectory("refs");
        File.WriteAllText(Path.Combine(git.FullName, "HEAD"), $"{Commit}\n");
        File.WriteAllText(Path.Combine(git.FullName, "config"), $"[remote \"origin\"]\n\turl = {Home}\n");

        var packages = Path.Combine(copy, "artifacts");
        foreach (var library in new[] { "MlNetDistill.Torch", "MlNetDistill", "MlNetDistill.Scoring" })
            DotnetCommand.Run(copy, "pack", Path.Combine("src", library), "-o", packages, $"-p:Version={Version}");
        return packages;
    }

    private static IEnumerable<string> SourcesOfLibraries() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(Repository.Root, file).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));
}
