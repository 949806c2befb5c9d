using System.Text.RegularExpressions;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

/// <summary>Training → Methods → {Losses, Teachers, Data} → Networks → Native, Teachers → {Records → Data, Native}, and Onnx → Networks; the root is for all. Nothing knows ML.NET.</summary>
public sealed partial class ArchitectureTests
{
    private const string Root = "";

    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        [Root] = ["Networks", "Native"],
        ["Native"] = [],
        ["Networks"] = ["Native"],
        ["Onnx"] = ["Networks"],
        ["Data"] = ["Networks"],
        ["Losses"] = ["Networks", "Data"],
        ["Records"] = ["Networks", "Data"],
        ["Teachers"] = ["Native", "Networks", "Data", "Records"],
        ["Methods"] = ["Networks", "Data", "Losses", "Teachers"],
        ["Training"] = ["Networks", "Data", "Losses", "Records", "Teachers", "Methods"],
    };

    private static readonly Dictionary<string, string> Sources = Directory
        .EnumerateFiles(SourceFolder(), "*.cs", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetRelativePath(SourceFolder(), f).Replace('\\', '/'), f => WithoutComments(File.ReadAllText(f)))
        .Where(f => !f.Key.StartsWith("bin/", StringComparison.Ordinal) && !f.Key.StartsWith("obj/", StringComparison.Ordinal))
        .ToDictionary();

    [Test]
    public void The_torch_side_does_not_reference_ML_NET() => Assert.That(
        typeof(Network).Assembly.GetReferencedAssemblies().Select(a => a.Name), Has.None.StartsWith("Microsoft.ML"));

    [Test]
    public void Every_folder_has_its_place() =>
        Assert.That(Sources.Keys.Select(Folder).Distinct(), Is.EquivalentTo(MayUse.Keys));

    [Test]
    public void Folders_use_only_namespaces_below_them()
    {
        var wrong = from source in Sources
                    from Match line in UsingLine().Matches(source.Value)
                    let used = line.Groups[1].Value
                    where used != Folder(source.Key) && !MayUse[Folder(source.Key)].Contains(used)
                    select $"{source.Key} uses MlNetDistill.{used}";
        Assert.That(wrong, Is.Empty);
    }

    /// <summary>Types in the root namespace need no using line, so their names are looked for as well.</summary>
    [Test]
    public void Folders_use_only_types_declared_below_them()
    {
        var declared = (from source in Sources
                        from Match type in Declaration().Matches(source.Value)
                        select (Name: type.Groups[1].Value, Folder: Folder(source.Key))).Distinct().ToLookup(t => t.Name, t => t.Folder);
        Assert.That(declared, Has.Count.GreaterThan(40));
        var wrong = from source in Sources
                    let folder = Folder(source.Key)
                    from name in Identifier().Matches(source.Value).Select(m => m.Value).Distinct()
                    where declared[name].Any() && declared[name].All(f => f != folder && f != Root && !MayUse[folder].Contains(f))
                    select $"{source.Key} uses {name} of {declared[name].First()}";
        Assert.That(wrong, Is.Empty);
    }

    private static string Folder(string path) => path.Contains('/') ? path[..path.IndexOf('/')] : Root;

    private static string WithoutComments(string source) => Comment().Replace(source, "");

    private static string SourceFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MlNetDistill.sln")))
                return Path.Combine(folder.FullName, "src", "MlNetDistill.Torch");
        }

        throw new DirectoryNotFoundException("The tests must run from inside the repository: MlNetDistill.sln was not found above them.");
    }

    [GeneratedRegex(@"^(?:global )?using (?:static )?MlNetDistill\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex UsingLine();

    [GeneratedRegex(@"\b(?:class|record struct|record|struct|enum|interface)\s+([A-Z]\w+)")]
    private static partial Regex Declaration();

    // Not what follows a dot (a member of something else) and not what a colon follows (a named argument).
    [GeneratedRegex(@"(?<![\w.])[A-Z]\w+\b(?!\s*:)")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|""(?:[^""\\]|\\.)*""", RegexOptions.Singleline)]
    private static partial Regex Comment();
}
