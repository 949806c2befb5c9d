using System.Text.RegularExpressions;

namespace MlNetDistill.Teachers;

/// <summary>The sentence that matters in an error of libtorch, which comes with the stacks of C++ and TorchScript.</summary>
internal static partial class NativeErrorMessage
{
    public static string Summarize(string message)
    {
        var said = RaisedError().Matches(message);
        var text = said.Count > 0 ? said[^1].Value : message;
        foreach (var end in (string[])["\nException raised from", "\nframe #"])
            text = text.Split(end)[0];
        return text.Trim();
    }

    [GeneratedRegex(@"^(?:[\w.]*(?:Error|Exception)): .*", RegexOptions.Multiline)]
    private static partial Regex RaisedError();
}
