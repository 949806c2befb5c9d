using System.Globalization;

namespace CompareMethods;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Usage = """
        CompareMethods: teaches one student by KD, DIST, CCKD, RCO, RCO×DIST and SSKD, each with the same epochs and the same small search,
        over several seeds, and writes results.json and chart.svg.

          (no options)      digits drawn by the program
          --data FILE       letter-recognition.data: the label first, rows 1 to 16,000 train and the rest test
          --data DIR        Fashion-MNIST (its four IDX files, gzipped or not) or CIFAR-100 (train.bin and test.bin)
          --seeds N         students of each method (3)
          --epochs N        passes over the training rows for each student, a multiple of 12 so that 2, 3 or 4 anchors share them equally
          --rows N          use the first N training rows only
          --threads N       threads of a tensor operation (1 for perceptrons, else as many as torch takes of itself)
          --quick           fewer rows, epochs and seeds: a look at how it works, not at which method is better
          --out DIR         where the two files go (artifacts/compare-methods)
          --help            this text
        """;

    public string? Data { get; init; }

    public int? SeedCount { get; init; }

    public int? Epochs { get; init; }

    public int? Rows { get; init; }

    public int? Threads { get; init; }

    public bool Quick { get; init; }

    public string Out { get; init; } = Path.Combine("artifacts", "compare-methods");

    public bool Help { get; init; }

    public int Seeds => SeedCount ?? (Quick ? 2 : 3);

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
                "--seeds" => settings with { SeedCount = Number(words) },
                "--epochs" => settings with { Epochs = Number(words, multipleOf: Candidates.MostAnchors) },
                "--rows" => settings with { Rows = Number(words) },
                "--threads" => settings with { Threads = Number(words) },
                "--quick" => settings with { Quick = true },
                "--out" => settings with { Out = Value(words, "a folder") },
                "--help" or "-h" => settings with { Help = true },
                var word => throw new UsageException(
                    $"There is no option '{word}'. The options are --data, --seeds, --epochs, --rows, --threads, --quick, --out and --help."),
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

    private static int Number(IEnumerator<string> words, int multipleOf = 1)
    {
        var option = words.Current;
        var what = multipleOf == 1 ? "a whole number of at least 1" : $"a multiple of {multipleOf}";
        var text = Value(words, what);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number % multipleOf == 0
            ? number
            : throw new UsageException($"{option} must be followed by {what}; found '{text}'.");
    }
}

/// <summary>The user asked for something that cannot be done; the message says what can.</summary>
internal sealed class UsageException(string message) : Exception(message);
