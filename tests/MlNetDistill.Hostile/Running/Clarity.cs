using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Training;

namespace MlNetDistill.Hostile.Running;

/// <summary>Whether an exception tells its reader what is wrong.</summary>
internal static class Clarity
{
    // Subtypes count too: FileNotFoundException, ObjectDisposedException and so on.
    private static readonly Type[] Documented =
    [
        typeof(ArgumentException), typeof(InvalidOperationException), typeof(OperationCanceledException), typeof(IOException), typeof(UnauthorizedAccessException),
        typeof(InvalidDataException), typeof(FormatException), typeof(NotSupportedException), typeof(JsonException),
        typeof(TorchUnavailableException), typeof(NonFiniteLossException), typeof(TrainingTimeoutException), typeof(StudentExportException),
    ];

    private static readonly string[] Bare =
    [
        "Object reference not set", "Index was outside", "Index was out of range", "The given key", "Unable to cast", "Sequence contains", "Collection was modified",
        "External component", "Exception raised from", "frame #", "Arithmetic operation resulted", "An error occurred.", "Exception of type", "worker encountered exception",
        "Arg_ParamName", "Nullable object must have a value", "Assertion failed",
    ];

    /// <summary>Why it does not, or null where it does.</summary>
    public static string? FaultOf(Exception error, IReadOnlyList<string> words)
    {
        var message = error.Message;
        if (!Documented.Any(type => type.IsInstanceOfType(error)))
            return $"the type {error.GetType().Name} is none that is documented";
        if (Bare.FirstOrDefault(text => message.Contains(text, StringComparison.Ordinal)) is { } bare)
            return $"the message holds \"{bare}\"";
        var missing = words.Where(word => !message.Contains(word, StringComparison.OrdinalIgnoreCase)).ToList();
        return missing.Count == 0 ? null : $"the message does not name {string.Join(" nor ", missing.Select(word => $"\"{word}\""))}";
    }

    /// <summary>The exception on one line.</summary>
    public static string Line(Exception error)
    {
        var text = $"{error.GetType().Name}: {error.Message}".ReplaceLineEndings(" ").Replace('\t', ' ');
        return text.Length <= 600 ? text : text[..600] + "…";
    }
}
