using System.CommandLine;

namespace CompareMethods;

/// <summary>The settings on the command line.</summary>
internal sealed record Settings(string? Data, IReadOnlyList<string>? Methods, int Seeds, int? Epochs, int? Rows, int? Threads, bool Quick, string? Checkpoints, string Out)
{
    public static RootCommand Command(Action<Settings> run)
    {
        var data = CommandLine.Text(
            "--data", "FILE|DIR",
            "letter-recognition.data, the label first, of which rows 1 to 16,000 train and the rest test; Fashion-MNIST, a folder with its four IDX files, " +
            "gzipped or not; or CIFAR-100, a folder with train.bin and test.bin; without it, digits drawn by the program");
        var methods = CommandLine.Text(
            "--methods", "NAMES", $"methods, separated by commas: {string.Join(", ", Candidates.Names)} (all; the student alone and KD, which the others are compared with, are always trained)");
        var seeds = CommandLine.Number("--seeds", "students of each method (3, with --quick 2)");
        var epochs = CommandLine.Number(
            "--epochs", "passes over the training rows for each student, a multiple of 12 so that 2, 3 or 4 anchors share them equally",
            multipleOf: Candidates.MostAnchors);
        var rows = CommandLine.Number("--rows", "use the first N training rows only");
        var threads = CommandLine.Number("--threads", "threads of a tensor operation (1 for perceptrons, otherwise libtorch's default)");
        var quick = new Option<bool>("--quick") { Description = "fewer rows, epochs and seeds: to see how it works, not which method is better" };
        var checkpoints = CommandLine.Text("--checkpoints", "DIR", "save the state of each training in DIR once a minute and when the program is stopped; the same command goes on from there");
        var folder = CommandLine.Text("--out", "DIR", "where the files go", Path.Combine("artifacts", "compare-methods"));
        var command = new RootCommand(
            "Trains one student with each method, with the same epochs and the same small search, " +
            "over several seeds, and writes results.json, chart.svg and a report on the first student of each method.")
        { data, methods, seeds, epochs, rows, threads, quick, checkpoints, folder };
        command.SetAction(given => run(new Settings(
            given.GetValue(data), CommandLine.Names(given, methods, Candidates.Names), given.GetValue(seeds) ?? (given.GetValue(quick) ? 2 : 3), given.GetValue(epochs), given.GetValue(rows),
            given.GetValue(threads), given.GetValue(quick), given.GetValue(checkpoints), given.GetValue(folder)!)));
        return command;
    }
}
