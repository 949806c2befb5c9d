namespace Quickstart;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Usage = """
        Quickstart: trains a teacher, a small student alone and the same student distilled, compares them and writes student.zip and report/.

          (no options)                  digits drawn by the program
          --data DIR                    Fashion-MNIST: a folder with its four IDX files, gzipped or not
          --data FILE --label COLUMN    a CSV of numbers; COLUMN is the label's name, or its index from 0 where there is no header
          --epochs N                    passes over the training rows, for each of the three networks
          --seed N                      seed of every draw (1)
          --quick                       fewer rows and epochs: a look at how it works, not at how good it gets
          --minimum-kept PERCENT        least share of the teacher's accuracy that the student must keep (90)
          --minimum-agreement PERCENT   least share of the test rows for which both must name the same class
          --measure ZIP                 prints what a model costs that this program saved, as JSON, and nothing else
          --help                        this text

        Ends with 0 if the student is accepted and with 3 if it is not, so that it can stand in a release pipeline.
        """;

    public string? Data { get; init; }

    public string? Label { get; init; }

    public int? Epochs { get; init; }

    public int Seed { get; init; } = 1;

    public bool Quick { get; init; }

    public int MinimumKept { get; init; } = 90;

    public int? MinimumAgreement { get; init; }

    public string? Measure { get; init; }

    public bool Help { get; init; }

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
                "--label" => settings with { Label = words.Value("a column") },
                "--epochs" => settings with { Epochs = words.Number(atLeast: 1) },
                "--seed" => settings with { Seed = words.Number(atLeast: 0) },
                "--quick" => settings with { Quick = true },
                "--minimum-kept" => settings with { MinimumKept = words.Number() },
                "--minimum-agreement" => settings with { MinimumAgreement = words.Number(atMost: 100) },
                "--measure" => settings with { Measure = words.Value("a saved model") },
                "--help" or "-h" => settings with { Help = true },
                var word => throw new UsageException($"There is no option '{word}'. See --help."),
            };
        }

        return settings;
    }
}
