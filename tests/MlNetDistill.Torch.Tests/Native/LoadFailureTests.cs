using MlNetDistill.Core;

namespace MlNetDistill.Tests.Native;

/// <summary>What is said of loaders' messages from systems that the tests do not run on. (Processes that fail so: TorchUnavailableTests.)</summary>
public sealed class LoadFailureTests
{
    private const string OldLibrary =
        "Unable to load shared library 'LibTorchSharp' or one of its dependencies.\n" +
        "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /app/libLibTorchSharp.so)\n" +
        "/app/LibTorchSharp.so: cannot open shared object file: No such file or directory\n";

    [TestCase("debian", "12", "trixie", "eng/prepare.sh", "Debian 13, Ubuntu 24.04 or a default .NET 10 container image")]
    [TestCase("ubuntu", "22.04", "ppa:ubuntu-toolchain-r/test", "Debian 13, Ubuntu 24.04")]
    [TestCase("rhel", "9.4", "use Debian 13, Ubuntu 24.04")]
    public void An_old_C_plus_plus_library_has_a_remedy_for_its_system(string id, string version, params string[] remedies)
    {
        var failure = LoadFailure.FromLoaderMessage(OldLibrary, new SystemRelease(id, version, "A System 1.0"), hasLibtorch: true);
        Assert.That(failure.MissingVersion, Is.EqualTo("GLIBCXX_3.4.32"));
        Assert.That(failure.Message, Does.StartWith(
            "TorchSharp's native library needs GLIBCXX_3.4.32, which /lib/x86_64-linux-gnu/libstdc++.so.6 on A System 1.0 lacks. " + failure.Remedy));
        foreach (var remedy in remedies)
            Assert.That(failure.Remedy, Does.Contain(remedy));
        Assert.That(failure.Remedy, Does.Not.Contain("LD_LIBRARY_PATH"));
    }

    [Test]
    public void An_old_glibc_asks_for_another_system()
    {
        var failure = LoadFailure.FromLoaderMessage(
            "/lib64/libc.so.6: version `GLIBC_2.34' not found (required by /app/libtorch_cpu.so)", new("rhel", "8.9", "RHEL 8.9"), hasLibtorch: true);
        Assert.That((failure.MissingVersion, failure.Remedy), Is.EqualTo(
            ("GLIBC_2.34", "Use Debian 13, Ubuntu 24.04 or a default .NET 10 container image, or another system that is as recent.")));
    }

    [TestCase("windows", "Visual C++ Redistributable")]
    [TestCase("debian", "Install the library that the loader names")]
    public void Another_failure_gives_the_loaders_words(string system, string remedy)
    {
        var failure = LoadFailure.FromLoaderMessage("libz.so.1: cannot open shared object file", new(system, "", ""), hasLibtorch: true);
        Assert.That(failure.MissingVersion, Is.Null);
        Assert.That(failure.Remedy, Does.Contain(remedy));
        Assert.That(failure.Message, Does.EndWith("The loader's message: libz.so.1: cannot open shared object file"));
    }

    [Test]
    public void Of_the_names_that_were_tried_the_library_that_is_missing_is_shown() => Assert.That(
        LoadFailure.FromLoaderMessage(
            "Unable to load shared library 'LibTorchSharp' or one of its dependencies.\n/app/LibTorchSharp.so: cannot open shared object file\n" +
            "libc10.so: cannot open shared object file: No such file\n/app/libLibTorchSharp: cannot open shared object file\n",
            new("debian", "13", ""), hasLibtorch: true).Message,
        Does.EndWith("The loader's message: libc10.so: cannot open shared object file: No such file"));

    [TestCase("/libs/of a user/libstdc++.so.6")]
    [TestCase("/libs/old/libstdc++.so.6")]
    public void An_old_library_in_a_folder_of_ones_own_is_named_whole_and_its_folder_taken_out(string file)
    {
        var failure = LoadFailure.FromLoaderMessage(
            $"cannot load\n{file}: version `GLIBCXX_3.4.32' not found (required by /app/libLibTorchSharp.so)", new("debian", "12", ""), hasLibtorch: true);
        Assert.That(failure.Message, Does.Contain($"which {file} on "));
        Assert.That(failure.Remedy, Does.StartWith("Take its folder out of LD_LIBRARY_PATH"));
    }

    [TestCase("linux-musl-x64", "musl")]
    [TestCase("alpine.3.22-x64", "musl")]
    [TestCase("freebsd-x64", "freebsd-x64")]
    [TestCase("alpine.3.20-musl-x64", "musl")]
    [TestCase("linux-arm64", "linux-arm64")]
    [TestCase("osx-x64", "osx-x64")]
    [TestCase("win-x86", "win-x86")]
    public void A_platform_without_TorchSharp_is_refused(string runtime, string named) =>
        Assert.That(LoadFailure.ForPlatform(runtime)?.Message, Does.Contain(named));

    [TestCase("unknown")]
    [TestCase("linux-x64")]
    [TestCase("debian.12-x64")]
    [TestCase("win-x64")]
    [TestCase("win-arm64")]
    [TestCase("osx-arm64")]
    public void A_platform_with_TorchSharp_is_not(string runtime) => Assert.That(LoadFailure.ForPlatform(runtime), Is.Null);

    [Test]
    public void The_release_file_is_read() => Assert.That(
        SystemRelease.Parse(["PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"", "# a comment", "", "VERSION_ID=\"12\"", "ID=debian"]),
        Is.EqualTo(new SystemRelease("debian", "12", "Debian GNU/Linux 12 (bookworm)")));

    [Test]
    public void A_release_file_that_says_little_is_read() =>
        Assert.That(SystemRelease.Parse(["ID='nixos'"]), Is.EqualTo(new SystemRelease("nixos", "", "this Linux")));
}
