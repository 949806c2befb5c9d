using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Packages;

[TestFixture("MlNetDistill")]
[TestFixture("MlNetDistill.Torch")]
[TestFixture("MlNetDistill.Scoring")]
public sealed partial class PackageTests(string id)
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    [TestCase("nupkg")]
    [TestCase("snupkg")]
    public void Packed_in_two_folders_it_is_the_same_byte_for_byte(string kind)
    {
        Assume.That(Version.Parse(Repository.Built("SdkVersion").Split('-')[0]), Is.GreaterThanOrEqualTo(new Version(10, 0, 400)),
            "the NuGet of an earlier SDK writes the time of packing into a package");

        Assert.That(File.ReadAllBytes(PathOf(kind, copy: 1)), Is.EqualTo(File.ReadAllBytes(PathOf(kind))));
    }

    [Test]
    public void It_says_whose_it_is_and_what_it_is_made_of()
    {
        using var package = ZipFile.OpenRead(PathOf("nupkg"));
        var metadata = Nuspec(package);

        string Text(string name) => metadata.Element(metadata.Name.Namespace + name)?.Value ?? "";
        var repository = metadata.Element(metadata.Name.Namespace + "repository")!;
        Assert.Multiple(() =>
        {
            Assert.That(Text("projectUrl"), Is.EqualTo(PackedTwice.Home));
            Assert.That(Text("license"), Is.EqualTo("MIT"));
            Assert.That(Text("description"), Is.Not.Empty);
            Assert.That(repository.Attributes().Select(a => $"{a.Name}={a.Value}"),
                Is.EqualTo(new[] { "type=git", $"url={PackedTwice.Home}", $"commit={PackedTwice.Commit}" }));
            Assert.That(Bytes(package, Text("icon")).AsSpan(1, 3).ToArray(), Is.EqualTo("PNG"u8.ToArray()));
            Assert.That(Encoding.UTF8.GetString(Bytes(package, Text("readme"))), Does.StartWith($"# {id}\n"));
            Assert.That(package.Entries.Select(e => e.FullName).Where(name => name.StartsWith("lib/", StringComparison.Ordinal)),
                Is.EquivalentTo(new[] { $"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml" }));
        });
    }

    [Test]
    public void Its_readme_links_to_files_of_the_repository_by_whole_addresses()
    {
        using var package = ZipFile.OpenRead(PathOf("nupkg"));
        var readme = Encoding.UTF8.GetString(Bytes(package, "README.md"));

        var raw = PackedTwice.Home.Replace("https://github.com/", "https://raw.githubusercontent.com/", StringComparison.Ordinal);
        string[] prefixes = [$"{PackedTwice.Home}/blob/HEAD/", $"{raw}/HEAD/"];
        foreach (Match link in Link().Matches(readme))
        {
            Assert.That(link.Value, Does.StartWith("](https://"));
            foreach (var prefix in prefixes.Where(prefix => link.Groups[1].Value.StartsWith(prefix, StringComparison.Ordinal)))
                Assert.That(Path.Combine(Repository.Root, link.Groups[1].Value[prefix.Length..].Split('#')[0]), Does.Exist);
        }
    }

    [Test]
    public void It_brings_what_a_user_needs_and_no_tool_of_ours()
    {
        using var package = ZipFile.OpenRead(PathOf("nupkg"));

        var brought = Nuspec(package).Descendants().Where(e => e.Name.LocalName == "dependency")
            .ToDictionary(d => d.Attribute("id")!.Value, d => d.Attribute("version")!.Value);

        if (id == "MlNetDistill")
        {
            // It uses the other's internals, so no other version will do.
            Assert.That(brought.Remove("MlNetDistill.Torch", out var version) ? version : null, Is.EqualTo($"[{PackedTwice.Version}]"));
        }
        Assert.That(brought.Keys, Is.EquivalentTo(id switch
        {
            "MlNetDistill" => ["Microsoft.Extensions.Logging.Abstractions", "Microsoft.ML", "Microsoft.ML.OnnxRuntime.Managed", "Microsoft.ML.OnnxTransformer", "System.IO.Hashing"],
            "MlNetDistill.Scoring" => ["Microsoft.ML", "Microsoft.ML.OnnxRuntime.Managed", "Microsoft.ML.OnnxTransformer"],
            _ => new[] { "System.IO.Hashing", "TorchSharp" },
        }));
    }

    [Test]
    public void Nothing_in_it_names_the_folder_it_was_made_in()
    {
        var folder = Path.GetFileName(PackedTwice.Copies[0]);
        foreach (var kind in new[] { "nupkg", "snupkg" })
        {
            using var package = ZipFile.OpenRead(PathOf(kind));
            foreach (var entry in package.Entries)
            {
                var bytes = Bytes(package, entry.FullName);
                Assert.That(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(folder)), Is.EqualTo(-1), entry.FullName);
                Assert.That(bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(folder)), Is.EqualTo(-1), entry.FullName);
            }
        }
    }

    [Test]
    public void A_debugger_finds_every_source_file_in_the_repository_or_in_the_symbols()
    {
        using var package = ZipFile.OpenRead(PathOf("snupkg"));
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(Bytes(package, $"lib/net10.0/{id}.pdb")));
        var symbols = provider.GetMetadataReader();

        byte[] Information(EntityHandle parent, Guid kind) => symbols.GetCustomDebugInformation(parent).Select(symbols.GetCustomDebugInformation)
            .Where(i => symbols.GetGuid(i.Kind) == kind).Select(i => symbols.GetBlobBytes(i.Value)).SingleOrDefault([]);
        var links = JsonDocument.Parse(Information(EntityHandle.ModuleDefinition, SourceLink)).RootElement.GetProperty("documents");
        var raw = PackedTwice.Home.Replace("https://github.com/", "https://raw.githubusercontent.com/", StringComparison.Ordinal);
        Assert.That(links.EnumerateObject().Select(l => (l.Name, l.Value.GetString())), Is.EqualTo(new[] { ("/_/*", $"{raw}/{PackedTwice.Commit}/*") }));

        foreach (var handle in symbols.Documents)
        {
            var name = symbols.GetString(symbols.GetDocument(handle).Name);
            Assert.That(name, Does.StartWith("/_/"));
            Assert.That(File.Exists(Path.Combine(Repository.Root, name["/_/".Length..])) && !name.Contains("/obj/", StringComparison.Ordinal)
                || Information(handle, EmbeddedSource).Length > 0, name);
        }
    }

    private static XElement Nuspec(ZipArchive package) => XDocument.Load(new MemoryStream(Bytes(
        package, package.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).FullName))).Root!.Elements().Single();

    private static byte[] Bytes(ZipArchive package, string entry)
    {
        using var stream = package.GetEntry(entry)?.Open() ?? throw new FileNotFoundException($"The package has no '{entry}'.");
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    private string PathOf(string kind, int copy = 0) => Path.Combine(PackedTwice.Folders[copy], $"{id}.{PackedTwice.Version}.{kind}");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
