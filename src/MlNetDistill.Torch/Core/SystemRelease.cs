namespace MlNetDistill.Core;

/// <summary>The operating system: for Linux its distribution.</summary>
/// <param name="Id">Such as <c>debian</c>; <c>windows</c> or <c>macos</c> elsewhere.</param>
/// <param name="Version">Such as <c>12</c> or <c>22.04</c>; may be empty.</param>
/// <param name="Name">Name for messages.</param>
internal sealed record SystemRelease(string Id, string Version, string Name)
{
    private const string ReleaseFile = "/etc/os-release";

    public static SystemRelease Detect() =>
        OperatingSystem.IsWindows() ? new("windows", "", "Windows") :
        OperatingSystem.IsMacOS() ? new("macos", "", "macOS") :
        Parse(File.Exists(ReleaseFile) ? File.ReadAllLines(ReleaseFile) : []);

    /// <summary>Reads lines such as <c>ID=debian</c> and <c>VERSION_ID="12"</c> (freedesktop.org, os-release).</summary>
    public static SystemRelease Parse(IEnumerable<string> lines)
    {
        var values = lines.Select(line => line.Split('=', 2)).Where(parts => parts.Length == 2)
            .GroupBy(parts => parts[0].Trim()).ToDictionary(g => g.Key, g => g.Last()[1].Trim().Trim('"', '\''));
        return new(
            values.GetValueOrDefault("ID", "linux"), values.GetValueOrDefault("VERSION_ID", ""), values.GetValueOrDefault("PRETTY_NAME", "this Linux"));
    }
}
