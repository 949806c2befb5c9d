using System.Globalization;

namespace Quickstart;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Usage = """
        Quickstart: trains a teacher, a small student alone and the same student distilled, compares them and writes student.zip.

          (no options)                  digits drawn by the program
          --data DIR                    Fashion-MNIST: a folder with its four IDX files, gzipped or not
          --data FILE --label COLUMN    a CSV of numbers; COLUMN is the label's name, or its index from 0 where there is no header
          --epochs N                    passes over the training rows, for each of the three networks
          --seed N                      seed of every draw (1)
          --quick                       fewer rows and epochs: a look at how it works, not at how good it gets
          --help                        this text
        """;

    public string? Data { get; init; }

    public string? Label { get; init; }

    public int? Epochs { get; init; }

    public int Seed { get; init; } = 1;

    public bool Quick { get; init; }

    public bool Help { get; init; }

    /// <exception cref="UsageException">The arguments make no sense; the message says what would.</exception>
    public static Settings Parse(IReadOnlyList<string> args)
    {
        var settings = new Settings();
        using var words = args.GetEnumerator();
        while (words.MoveNext())
        {
            settings = words.Current switch
            {
                "--data" => settings with { Data = Value(words, "a folder or a file") },
                "--label" => settings with { Label = Value(words, "a column") },
                "--epochs" => settings with { Epochs = Number(words, atLeast: 1) },
                "--seed" => settings with { Seed = Number(words, atLeast: 0) },
                "--quick" => settings with { Quick = true },
                "--help" or "-h" => settings with { Help = true },
                var word => throw new UsageException($"There is no option '{word}'. The options are --data, --label, --epochs, --seed, --quick and --help."),
            };
        }

        return settings;
    }

    private static string Value(IEnumerator<string> words, string what)
    {
        var option = words.Current;
        return words.MoveNext() && !words.Current.StartsWith("--", StringComparison.Ordinal)
            ? words.Current
            : throw new UsageException($"{option} must be followed by {what}.");
    }

    private static int Number(IEnumerator<string> words, int atLeast)
    {
        var option = words.Current;
        var text = Value(words, $"a whole number of at least {atLeast}");
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= atLeast
            ? number
            : throw new UsageException($"{option} must be followed by a whole number of at least {atLeast}; found '{text}'.");
    }
}

/// <summary>The user asked for something that cannot be done; the message says what can.</summary>
internal sealed class UsageException(string message) : Exception(message);
