using System.Text.RegularExpressions;

namespace MlNetDistill.Teachers;

/// <summary>Extracts from a crashed process's error output why libtorch ended it.</summary>
internal static partial class CrashMessage
{
    private const int MaxLength = 400; // characters

    /// <summary>The message of the uncaught C++ exception, in one line, without source positions; the exit code if there is no message.</summary>
    public static string Extract(string errors, int exitCode)
    {
        var message = Exception().Match(errors) is { Success: true } found ? Space().Replace(found.Groups[1].Value, " ").Trim().TrimEnd(':', '.', ' ') : "";
        return message.Length == 0 ? FormattableString.Invariant($"nothing (exit code {exitCode})") : message.Length > MaxLength ? $"{message[..MaxLength]}…" : message;
    }

    // Of the C++ library: "terminate called after throwing an instance of '…'\n  what():  …".
    [GeneratedRegex(@"what\(\):(.*?)(?:\n\s*File ""|\n:|\n\n|\z)", RegexOptions.Singleline)]
    private static partial Regex Exception();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
