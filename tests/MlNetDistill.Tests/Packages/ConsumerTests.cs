using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MlNetDistill.Tests.Documentation;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Packages;

/// <summary>The programs of the READMEs and of Getting started as a user makes them: a new console project, the packages that the page adds, and its code, word for word.</summary>
[Category("NoCulture")]
public sealed partial class ConsumerTests
{
    private ToyFolder _folder = null!;

    [OneTimeSetUp]
    public void ApartFromThisRepository()
    {
        _folder = new ToyFolder();
        foreach (var file in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
            File.WriteAllText(_folder.File(file), "<Project />");
    }

    [OneTimeTearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void The_README_trains_a_student()
    {
        var program = Programs("README.md").Single();

        var trained = Run(program);

        Assert.Multiple(() =>
        {
            Assert.That(Percents(trained, "Accuracy"), Has.Length.EqualTo(2).And.All.GreaterThan(85));
            Assert.That(Percents(trained, "Agreement"), Has.Length.EqualTo(1).And.All.GreaterThan(85));
            Assert.That(_folder.File("student.zip"), Does.Exist);
        });
    }

    [Test]
    public void Getting_started_with_tables_trains_a_student_and_another_program_scores_with_it()
    {
        var programs = Programs("docs/getting-started/tabular.md");
        Assert.That(programs.Select(p => p.Program), Is.EqualTo(new[] { "tabular", "score" }));
        Assert.That(programs[1].Packages, Has.None.Contains("MlNetDistill").And.None.Contains("TorchSharp"));

        var trained = Run(programs[0]);
        var scored = Run(programs[1]);

        Assert.Multiple(() =>
        {
            Assert.That(Percents(trained, "Accuracy"), Has.Length.EqualTo(2).And.All.GreaterThan(85));
            Assert.That(trained, Does.Contain("A letter A is read as A."));
            Assert.That(scored.Trim(), Is.EqualTo("A"));
        });
    }

    [TestCase("image", "The image of a circle is classified as circle.")]
    [TestCase("text", "delivery")]
    public void Getting_started_ends_with_an_answer_of_the_student_that_was_loaded_again(string page, string answer)
    {
        var output = Run(Programs($"docs/getting-started/{page}.md").Single());

        Assert.That(output.TrimEnd(), Does.EndWith(answer));
    }

    [Test]
    public void The_README_of_the_Torch_package_lowers_the_loss_in_a_loop_of_ones_own()
    {
        var program = Programs("src/MlNetDistill.Torch/README.md").Single();

        var output = Run(program);

        var losses = Loss().Matches(output).Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).ToArray();
        Assert.That(losses, Has.Length.EqualTo(4).And.Ordered.Descending);
        Assert.That(losses[^1], Is.LessThan(losses[0] / 2));
    }

    private static CodeBlock[] Programs(string page) => [.. CodeBlock.FindAll(page).Where(block => block.Program.Length > 0)];

    private string Run(CodeBlock program) => Run(program.Program, program.Packages, ("Program.cs", program.Code));

    private string Run(string name, IReadOnlyList<string> packages, params IEnumerable<(string Name, string Code)> files)
    {
        var project = Directory.CreateDirectory(_folder.File(name)).FullName;
        ProjectWith(packages).Save(Path.Combine(project, $"{name}.csproj"));
        foreach (var file in files)
            File.WriteAllText(Path.Combine(project, file.Name), file.Code);
        // Links spare the disk half a gigabyte for each program; nothing else depends on it.
        var built = DotnetCommand.Run(project, "build", "-c", "Release", "-o", "built", "-p:CreateSymbolicLinksForCopyLocalIfPossible=true");
        Assert.That(built, Does.Not.Match("warning CS"));
        return DotnetCommand.Run(_folder.Path, Path.Combine(project, "built", $"{name}.dll"));
    }

    /// <summary>What "dotnet new console" and "dotnet add package" write, and the line for native libraries of this machine alone.</summary>
    private XDocument ProjectWith(IReadOnlyList<string> packages)
    {
        var versions = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(v => v.Attribute("Include")!.Value, v => v.Attribute("Version")!.Value);
        return new XDocument(new XElement(
            "Project",
            new XAttribute("Sdk", "Microsoft.NET.Sdk"),
            new XElement(
                "PropertyGroup",
                new XElement("OutputType", "Exe"),
                new XElement("TargetFramework", "net10.0"),
                new XElement("ImplicitUsings", "enable"),
                new XElement("Nullable", "enable"),
                new XElement("UseCurrentRuntimeIdentifier", true),
                // Our packages come from where they were just made, and are kept apart; all else is what the machine has.
                new XElement("RestoreAdditionalProjectSources", PackedTwice.Folders[0]),
                new XElement("RestorePackagesPath", _folder.File("packages")),
                new XElement("RestoreFallbackFolders", Repository.Built("NuGetPackageRoot"))),
            new XElement("ItemGroup", packages.Select(name => new XElement(
                "PackageReference",
                new XAttribute("Include", name),
                new XAttribute("Version", name.StartsWith("MlNetDistill", StringComparison.Ordinal) ? PackedTwice.Version : versions[name]))))));
    }

    private static double[] Percents(string table, string row) =>
        [.. Percent().Matches(table.Split('\n').Single(line => line.StartsWith($"{row} ", StringComparison.Ordinal)))
            .Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"([\d.]+) %")]
    private static partial Regex Percent();

    [GeneratedRegex(@"step \d+: loss ([\d.]+)")]
    private static partial Regex Loss();
}
