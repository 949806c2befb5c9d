using System.Diagnostics;
using System.Runtime.Versioning;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Commands;

/// <summary>What eng/prepare.sh does on machines that the tests do not run on: programs that only write down how they were called stand in for the system's.</summary>
[Platform("Linux"), SupportedOSPlatform("linux")]
public sealed class PrepareTests
{
    private const string Debian12 = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
    private const string Ubuntu22 = "ID=ubuntu\nVERSION_ID=\"22.04\"\nPRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\n";
    private const string Old = "GLIBCXX_3.4.30\n";
    private const string New = "GLIBCXX_3.4.30\nGLIBCXX_3.4.32\n";
    private ToyFolder _folder = null!;
    private string _loaderPath = "";

    [SetUp]
    public void Make_a_machine_that_lacks_nothing()
    {
        _folder = new ToyFolder();
        _loaderPath = "";
        Release(Debian12);
        File.WriteAllText(Library("libstdc++.so.6"), New);
        Program("ldconfig", $"for name in libstdc++.so.6 libicuuc.so.72 libssl.so.3 libgomp.so.1; do echo \"  $name (libc6,x86-64) => {_folder.Path}/$name\"; done");
        Program("dotnet", "echo '10.0.100 [/usr/share/dotnet/sdk]'");
        Program("id", "echo 0");
        Program("uname", "[ \"$1\" = -m ] && echo x86_64 || echo Linux");
        // What installs the library, in whatever words, makes the file new.
        Program("apt-get", $"echo \"apt-get $*\" >>'{_folder.File("calls")}'; case \"$*\" in *install*libstdc*) printf '{New.Replace("\n", "\\n")}' >'{Library("libstdc++.so.6")}' ;; esac");
        Program("add-apt-repository", $"echo \"add-apt-repository $*\" >>'{_folder.File("calls")}'");
    }

    [TearDown]
    public void Remove_it() => _folder.Dispose();

    [Test]
    public void Where_nothing_is_missing_it_says_and_does_nothing()
    {
        Assert.That(Prepare("libgomp.so.1"), Is.EqualTo((0, "", "")));
        Assert.That(Calls, Is.Empty);
    }

    [Test]
    public void Ubuntu_22_04_gets_the_newer_library_from_the_toolchain_archive()
    {
        Release(Ubuntu22);
        File.WriteAllText(Library("libstdc++.so.6"), Old);
        var (code, output, errors) = Prepare();

        Assert.That((code, errors), Is.EqualTo((0, "")));
        Assert.That(output.Split('\n'), Is.EqualTo(new[]
        {
            "This machine (Ubuntu 22.04.5 LTS) does not have the C++ library of GCC 13.2 or newer (GLIBCXX_3.4.32; found " +
            $"{Library("libstdc++.so.6")} with GLIBCXX_3.4.30).",
            "Will install libstdc++6 from the Ubuntu toolchain archive (ppa:ubuntu-toolchain-r/test).",
            "Done.",
        }));
        Assert.That(Calls, Has.Some.Contains("add-apt-repository --yes ppa:ubuntu-toolchain-r/test").And.Some.Contains("install").And.Some.Contains("libstdc++6"));
    }

    [Test]
    public void What_the_own_archive_has_comes_from_there()
    {
        Program("ldconfig", $"echo \"  libstdc++.so.6 (libc6,x86-64) => {Library("libstdc++.so.6")}\"");
        var (code, output, errors) = Prepare("libgomp.so.1");

        // Nothing was really installed, which it finds out.
        Assert.That((code, errors), Is.EqualTo((1, "Installed, but still missing: libicu libssl libgomp.so.1. LD_LIBRARY_PATH or PATH may find another version first.")));
        Assert.That(output, Does.Contain("Will install from the archive of this system: libicu libssl libgomp1."));
        Assert.That(Calls, Has.Some.Contains("install").And.Some.Contains("^libicu[0-9]+$ ^libssl(3|3t64)$ libgomp1"));
    }

    [Test]
    public void Another_system_is_told_in_one_sentence_what_is_missing()
    {
        Release("ID=\"rhel\"\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.4 (Plow)\"\n");
        File.WriteAllText(Library("libstdc++.so.6"), Old);
        Refused("This machine (Red Hat Enterprise Linux 9.4 (Plow)) does not have the C++ library of GCC 13.2 or newer (GLIBCXX_3.4.32; found " +
            $"{Library("libstdc++.so.6")} with GLIBCXX_3.4.30). Install it, or use Debian 13, Ubuntu 24.04 or a default .NET 10 image.");
    }

    [Test]
    public void An_older_Debian_is_told_that_no_source_is_known()
    {
        Release(Debian12.Replace("12", "11", StringComparison.Ordinal));
        File.WriteAllText(Library("libstdc++.so.6"), Old);
        Refused("and this script knows no archive with a newer libstdc++6. Use Debian 13, Ubuntu 24.04 or a default .NET 10 image.");
    }

    [Test]
    public void Without_root_it_says_how_to_run_it()
    {
        Program("id", "echo 1000");
        File.WriteAllText(Library("libstdc++.so.6"), Old);
        Refused($"To install it, run: sudo env \"PATH=$PATH\" bash {Path.Combine(Repository.Root, "eng", "prepare.sh")} libgomp.so.1", "libgomp.so.1");
    }

    [Test]
    public void An_old_library_in_the_loaders_path_is_told_and_nothing_is_installed()
    {
        var old = Directory.CreateDirectory(_folder.File("an old one")).FullName;
        File.WriteAllText(Path.Combine(old, "libstdc++.so.6"), Old);
        _loaderPath = old;
        Refused($"found {old}/libstdc++.so.6 with GLIBCXX_3.4.30) on its library path, but the system has it: remove {old} from LD_LIBRARY_PATH.");
    }

    [Test]
    public void A_system_without_a_name_is_told_what_is_missing()
    {
        File.Delete(_folder.File("os-release"));
        File.WriteAllText(Library("libstdc++.so.6"), Old);
        Refused("This machine (this Linux) does not have the C++ library of GCC 13.2 or newer");
    }

    [TestCase("exit 127", "none")]
    [TestCase("echo '8.0.400 [/usr/share/dotnet/sdk]'; echo '9.0.100 [/usr/share/dotnet/sdk]'", "9")]
    public void Without_the_SDK_it_names_it_and_installs_nothing(string dotnet, string found)
    {
        Program("dotnet", dotnet);
        File.WriteAllText(Library("libstdc++.so.6"), Old);
        Refused($"The .NET SDK 10 or newer is missing (found: {found}): install it");
    }

    [Test]
    public void A_processor_without_TorchSharp_is_refused()
    {
        Program("uname", "[ \"$1\" = -m ] && echo aarch64 || echo Linux");
        Refused("TorchSharp has no native library for Linux on aarch64");
    }

    [Test]
    public void MacOS_needs_the_SDK_alone()
    {
        Program("uname", "echo Darwin");
        File.Delete(Library("libstdc++.so.6"));
        Assert.That(Prepare(), Is.EqualTo((0, "", "")));
    }

    [Test]
    public void A_name_that_it_knows_no_package_for_is_refused() =>
        Refused("eng/prepare.sh has no package for 'gcc'; it has packages for libgomp.so.1, node, chromium, curl and shellcheck.", "gcc");

    private string[] Calls => File.Exists(_folder.File("calls")) ? File.ReadAllLines(_folder.File("calls")) : [];

    private void Refused(string sentence, params string[] arguments)
    {
        var (code, output, errors) = Prepare(arguments);
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.Contain(sentence).And.Not.Contains("\n"));
        Assert.That(Calls, Is.Empty);
    }

    private (int Code, string Output, string Errors) Prepare(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "eng", "prepare.sh"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{_folder.File("bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["OS_RELEASE"] = _folder.File("os-release");
        start.Environment["LD_LIBRARY_PATH"] = _loaderPath;
        start.Environment.Remove("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.TrimEnd('\n'), errors.GetAwaiter().GetResult().TrimEnd('\n'));
    }

    private string Library(string name) => _folder.File(name);

    private void Release(string release) => File.WriteAllText(_folder.File("os-release"), release);

    private void Program(string name, string script)
    {
        Directory.CreateDirectory(_folder.File("bin"));
        var path = Path.Combine(_folder.File("bin"), name);
        File.WriteAllText(path, $"#!/usr/bin/env bash\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
    }
}
