using System.Text.RegularExpressions;

namespace MlNetDistill.Teachers;

/// <summary>What a process says as libtorch ends it.</summary>
internal static partial class CrashMessage
{
    private const int Most = 400; // characters

    /// <summary>The message of the C++ exception that nothing caught, in one line, without the places in the script; the exit code where there is none.</summary>
    public static string Extract(string errors, int exitCode)
    {
        var said = Exception().Match(errors) is { Success: true } found ? Space().Replace(found.Groups[1].Value, " ").Trim().TrimEnd(':', '.', ' ') : "";
        return said.Length == 0 ? FormattableString.Invariant($"nothing (exit code {exitCode})") : said.Length > Most ? $"{said[..Most]}…" : said;
    }

    // Of the C++ library: "terminate called after throwing an instance of '…'\n  what():  …".
    [GeneratedRegex(@"what\(\):(.*?)(?:\n\s*File ""|\n:|\n\n|\z)", RegexOptions.Singleline)]
    private static partial Regex Exception();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
