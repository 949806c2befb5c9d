namespace FidelityStudy;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Usage = """
        FidelityStudy: how alike are a teacher and its student, and what would make them more so? Asks what Stanton et al. 2021 ("Does Knowledge Distillation
        Really Work?") ask, on one data set, over several seeds, and writes study.json and two reports.

          (no options)      digits drawn by the program
          --data FILE       a table of numbers, for example letter-recognition.data; the first 80 % of its rows train and the rest test
          --label COLUMN    the label's name in its header, or its index from 0 (0)
          --seeds N         repetitions, each with a teacher of its own (3)
          --epochs N        passes over the training rows for each student
          --quick           fewer rows, epochs and seeds: a look at how it works, not at what is true
          --out DIR         where the files go (artifacts/fidelity-study)
          --help            this text
        """;

    public string? Data { get; init; }

    public string Label { get; init; } = "0";

    public int? SeedCount { get; init; }

    public int? Epochs { get; init; }

    public bool Quick { get; init; }

    public string Out { get; init; } = Path.Combine("artifacts", "fidelity-study");

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
                "--data" => settings with { Data = words.Value("a file") },
                "--label" => settings with { Label = words.Value("a column") },
                "--seeds" => settings with { SeedCount = words.Number() },
                "--epochs" => settings with { Epochs = words.Number() },
                "--quick" => settings with { Quick = true },
                "--out" => settings with { Out = words.Value("a folder") },
                "--help" or "-h" => settings with { Help = true },
                var word => throw new UsageException($"There is no option '{word}'. See --help."),
            };
        }

        return settings;
    }
}
