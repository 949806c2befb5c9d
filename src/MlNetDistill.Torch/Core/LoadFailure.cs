using System.Text.RegularExpressions;

namespace MlNetDistill.Core;

/// <summary>Why TorchSharp's native library did not load, and what to do about it.</summary>
/// <param name="Message">Problem, remedy and, if it adds something, the loader's message.</param>
/// <param name="Remedy">What to do on this system.</param>
/// <param name="MissingVersion">The version that a system library lacks; null if that is not the problem.</param>
internal sealed partial record LoadFailure(string Message, string Remedy, string? MissingVersion = null)
{
    private const string SupportedSystems = "Debian 13, Ubuntu 24.04 or a default .NET 10 container image";

    /// <summary>The failure on a platform without a native library of TorchSharp, by its runtime identifier (<c>linux-musl-x64</c>); null for a supported one.</summary>
    public static LoadFailure? ForPlatform(string runtime)
    {
        if (runtime.Contains("musl", StringComparison.Ordinal) || runtime.StartsWith("alpine", StringComparison.Ordinal))
        {
            const string remedy = $"Use {SupportedSystems}.";
            return new($"libtorch is built for glibc and cannot work on this system, which uses musl ({runtime}; Alpine). {remedy}", remedy);
        }

        // The runtime identifier may name no platform; then the loader decides.
        if (!runtime.Contains('-') || Supported().IsMatch(runtime))
            return null;
        const string systems = "Run on Linux or Windows on x64, on Windows on Arm64 or on macOS on Apple silicon.";
        return new($"TorchSharp has no native library for {runtime}. {systems}", systems);
    }

    /// <summary>Interprets the loader's message. <paramref name="hasLibtorch"/> is whether the application contains libtorch.</summary>
    public static LoadFailure FromLoaderMessage(string loader, SystemRelease system, bool hasLibtorch)
    {
        if (VersionNotFound().Match(loader) is { Success: true } missing)
            return ForMissingVersion(missing.Groups["version"].Value, missing.Groups["file"].Value, missing.Value, system);
        if (!hasLibtorch)
        {
            const string remedy = "reference the package TorchSharp-cpu, or for a GPU TorchSharp-cuda-linux or TorchSharp-cuda-windows";
            return new($"TorchSharp was found, but libtorch was not: {remedy}.", remedy);
        }

        var loaderRemedy = system.Id == "windows"
            ? "Install the Microsoft Visual C++ Redistributable 2015-2022, or restore the application's packages again."
            : "Install the library that the loader names, or restore the application's packages again.";
        return new($"TorchSharp's native library could not be loaded. {loaderRemedy} The loader's message: {FindInformativeLine(loader)}", loaderRemedy);
    }

    /// <summary>The line that names the missing or broken library: .NET tries many names, and the other lines only repeat TorchSharp's own name.</summary>
    private static string FindInformativeLine(string loader) => loader.Split('\n').Skip(1).FirstOrDefault(line => line.Contains(':') && !OwnName().IsMatch(line)) ?? loader;

    private static LoadFailure ForMissingVersion(string version, string file, string loaderMessage, SystemRelease system)
    {
        var remedy = GetRemedy(version, file, system);
        return new($"TorchSharp's native library needs {version}, which {file} on {system.Name} lacks. {remedy} The loader's message: {loaderMessage}", remedy, version);
    }

    private static string GetRemedy(string version, string file, SystemRelease system)
    {
        if (!version.StartsWith("GLIBCXX", StringComparison.Ordinal) && !version.StartsWith("CXXABI", StringComparison.Ordinal))
            return $"Use {SupportedSystems}, or another system that is as recent.";
        if (!SystemFolders().IsMatch(file))
            return $"Take its folder out of LD_LIBRARY_PATH, or put the C++ library of GCC 13.2 or newer there.";
        var newer = (system.Id, system.Version) switch
        {
            ("debian", "12") => "Add Debian 13 (trixie) as a package source with a low pin and run 'apt-get install -t trixie libstdc++6', as " +
                "eng/prepare.sh in MlNetDistill's repository does; or use ",
            ("ubuntu", "22.04") => "Run 'add-apt-repository ppa:ubuntu-toolchain-r/test' and 'apt-get install libstdc++6', as eng/prepare.sh in MlNetDistill's " +
                "repository does; or use ",
            _ => "It comes with GCC 13.2 or newer: use ",
        };
        return $"{newer}{SupportedSystems}.";
    }

    // glibc, dl-version.c: "FILE: version `VERSION' not found (required by FILE)".
    [GeneratedRegex(@"^(?<file>[^\n:]+): version [`'](?<version>[A-Z]+_[0-9.]+)' not found \(required by [^)]*\)", RegexOptions.Multiline)]
    private static partial Regex VersionNotFound();

    [GeneratedRegex("^/(usr/)?lib(32|64)?/")]
    private static partial Regex SystemFolders();

    [GeneratedRegex("^(win-(x64|arm64)|osx-arm64|(?!win|osx|freebsd|maccatalyst|ios|android|browser).*-x64)$")]
    private static partial Regex Supported();

    [GeneratedRegex("LibTorchSharp(\\.so|\\.dylib|\\.dll)?: ")]
    private static partial Regex OwnName();
}
