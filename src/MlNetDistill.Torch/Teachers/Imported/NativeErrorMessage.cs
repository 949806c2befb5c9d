using System.Text.RegularExpressions;

namespace MlNetDistill.Teachers;

/// <summary>Extracts the relevant sentence from an error of libtorch, which includes the stacks of C++ and TorchScript.</summary>
internal static partial class NativeErrorMessage
{
    public static string Summarize(string message)
    {
        var errors = RaisedError().Matches(message);
        var text = errors.Count > 0 ? errors[^1].Value : message;
        foreach (var end in (string[])["\nException raised from", "\nframe #"])
            text = text.Split(end)[0];
        return text.Trim();
    }

    [GeneratedRegex(@"^(?:[\w.]*(?:Error|Exception)): .*", RegexOptions.Multiline)]
    private static partial Regex RaisedError();
}
