namespace CompareMethods;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Usage = """
        CompareMethods: teaches one student by KD, DIST, CCKD, RCO, RCO×DIST and SSKD, each with the same epochs and the same small search,
        over several seeds, and writes results.json, chart.svg and a report on the first student of each method.

          (no options)      digits drawn by the program
          --data FILE       letter-recognition.data: the label first, rows 1 to 16,000 train and the rest test
          --data DIR        Fashion-MNIST (its four IDX files, gzipped or not) or CIFAR-100 (train.bin and test.bin)
          --seeds N         students of each method (3)
          --epochs N        passes over the training rows for each student, a multiple of 12 so that 2, 3 or 4 anchors share them equally
          --rows N          use the first N training rows only
          --threads N       threads of a tensor operation (1 for perceptrons, else as many as torch takes of itself)
          --quick           fewer rows, epochs and seeds: a look at how it works, not at which method is better
          --out DIR         where the files go (artifacts/compare-methods)
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
        var words = new Words(args);
        while (words.Next())
        {
            settings = words.Word switch
            {
                "--data" => settings with { Data = words.Value("a folder or a file") },
                "--seeds" => settings with { SeedCount = words.Number() },
                "--epochs" => settings with { Epochs = words.Number(multipleOf: Candidates.MostAnchors) },
                "--rows" => settings with { Rows = words.Number() },
                "--threads" => settings with { Threads = words.Number() },
                "--quick" => settings with { Quick = true },
                "--out" => settings with { Out = words.Value("a folder") },
                "--help" or "-h" => settings with { Help = true },
                var word => throw new UsageException(
                    $"There is no option '{word}'. The options are --data, --seeds, --epochs, --rows, --threads, --quick, --out and --help."),
            };
        }

        return settings;
    }
}
