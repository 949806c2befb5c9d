using System.Text;
using MlNetDistill.Core;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Native;

/// <summary>Processes whose loader finds no libtorch, an old C++ library, or all that is needed.</summary>
[Platform("Linux")]
public sealed class TorchUnavailableTests
{
    private static readonly string[] Verbs = ["build", "block", "fit", "preflight", "score"];

    [TestCaseSource(nameof(Verbs))]
    public void Without_libtorch_the_first_call_names_the_packages_and_nothing_else_is_written(string verb) => Assert.That(ToyProbe.Call(verb)[..4], Is.EqualTo(new[]
    {
        nameof(TorchUnavailableException),
        "",
        "reference the package TorchSharp-cpu, or for a GPU TorchSharp-cuda-linux or TorchSharp-cuda-windows",
        "TorchSharp was found, but libtorch was not: reference the package TorchSharp-cpu, or for a GPU TorchSharp-cuda-linux or TorchSharp-cuda-windows.",
    }));

    [Test]
    public void Without_libtorch_the_loaders_own_words_are_kept() =>
        Assert.That(ToyProbe.Call("build")[5..], Has.Some.Contains("libtorch").And.Contains("cannot open shared object file"));

    [Test]
    public void Without_libtorch_nothing_is_copied_beside_the_application()
    {
        ToyProbe.Call("build");
        Assert.That(Path.Combine(Path.GetDirectoryName(ToyProbe.AssemblyPath)!, "cpu"), Does.Not.Exist);
    }

    [TestCaseSource(nameof(Verbs))]
    public void An_old_C_plus_plus_library_is_named_with_the_version_that_it_lacks(string verb)
    {
        using var folder = new ToyFolder();
        var old = OldLibrary(folder.Path);
        var said = ToyProbe.Call(verb, folder.Path, Libtorch);

        Assert.That(said[..3], Is.EqualTo(new[]
        {
            nameof(TorchUnavailableException),
            "GLIBCXX_3.4.32",
            "Take its folder out of LD_LIBRARY_PATH, or put the C++ library of GCC 13.2 or newer there.",
        }));
        Assert.That(said[3], Does.StartWith($"TorchSharp's native library needs GLIBCXX_3.4.32, which {old} on ").And.Contains(said[2])
            .And.Contains($"The loader's message: {old}: version `GLIBCXX_3.4.32' not found (required by "));
    }

    [Test]
    public void With_libtorch_on_the_loaders_path_the_same_program_works() => Assert.That(ToyProbe.Call("build", Libtorch), Is.EqualTo(new[] { "fine" }));

    /// <summary>The tests' own folder, which has it.</summary>
    private static string Libtorch => AppContext.BaseDirectory;

    /// <summary>This system's C++ library without one version: what GCC 13.1's is to GCC 13.2's.</summary>
    private static string OldLibrary(string folder)
    {
        const string name = "libstdc++.so.6";
        var loaded = File.ReadLines("/proc/self/maps").First(line => line.Contains(name, StringComparison.Ordinal));
        var bytes = File.ReadAllBytes(loaded[loaded.IndexOf('/', StringComparison.Ordinal)..]);
        var version = Encoding.ASCII.GetBytes("\0GLIBCXX_3.4.32\0");
        var at = bytes.AsSpan().IndexOf(version);
        Assert.That(at, Is.Positive, "the name of the version");
        bytes[at + version.Length - 2] = (byte)'x';
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
