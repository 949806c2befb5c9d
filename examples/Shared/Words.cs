using System.Globalization;

namespace Examples;

/// <summary>The words of a command line, one after another.</summary>
internal sealed class Words(IReadOnlyList<string> args)
{
    private int _at = -1;

    /// <summary>The word at hand.</summary>
    public string Word => args[_at];

    public bool Next() => ++_at < args.Count;

    /// <summary>The word after an option.</summary>
    /// <param name="what">What it must be, for the message.</param>
    /// <exception cref="UsageException">It is missing.</exception>
    public string Value(string what)
    {
        var option = Word;
        return Next() && !Word.StartsWith("--", StringComparison.Ordinal) ? Word : throw new UsageException($"{option} must be followed by {what}.");
    }

    /// <summary>The whole number after an option.</summary>
    /// <exception cref="UsageException">It is missing, none, out of its range, or no multiple.</exception>
    public int Number(int atLeast = 1, int multipleOf = 1, int atMost = int.MaxValue)
    {
        var option = Word;
        var what = (multipleOf, atMost) switch
        {
            (1, int.MaxValue) => $"a whole number of at least {atLeast}",
            (1, _) => $"a whole number from {atLeast} to {atMost}",
            _ => $"a multiple of {multipleOf}",
        };
        var text = Value(what);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= atLeast && number <= atMost && number % multipleOf == 0
            ? number
            : throw new UsageException($"{option} must be followed by {what}; found '{text}'.");
    }
}

/// <summary>The user asked for something that cannot be done; the message says what can.</summary>
internal sealed class UsageException(string message) : Exception(message);
