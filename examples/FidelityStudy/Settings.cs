using System.CommandLine;

namespace FidelityStudy;

/// <summary>The settings on the command line.</summary>
internal sealed record Settings(string? Data, string Label, int Seeds, int? Epochs, bool Quick, bool Levels, string? Checkpoints, string Out)
{
    public static RootCommand Command(Action<Settings> run)
    {
        var data = CommandLine.Text(
            "--data", "FILE",
            "a table of numbers, for example letter-recognition.data, of which the first 80 % of the rows train and the rest test; without it, digits drawn by " +
            "the program");
        var label = CommandLine.Text("--label", "COLUMN", "the label's name in its header, or its index from 0", "0");
        var seeds = CommandLine.Number("--seeds", "repetitions, each with a teacher of its own (3, with --quick 2)");
        var epochs = CommandLine.Number("--epochs", "passes over the training rows for each student");
        var quick = new Option<bool>("--quick") { Description = "fewer rows, epochs and seeds: to see how it works; the results mean little" };
        var levels = new Option<bool>("--levels")
        {
            Description = "asks instead which part of the teacher's knowledge helps (Tang et al. 2020): students that are taught only a part, side by side",
        };
        var checkpoints = CommandLine.Text("--checkpoints", "DIR", "save the state of each training in DIR once a minute and when the program is stopped; the same command goes on from there");
        var folder = CommandLine.Text("--out", "DIR", "where the files go", Path.Combine("artifacts", "fidelity-study"));
        var command = new RootCommand(
            "How often do a teacher and its student agree, and what makes them agree more? Asks the questions of Stanton et al. 2021 (\"Does Knowledge " +
            "Distillation Really Work?\") on one data set with several seeds, and writes study.json and two reports.")
        { data, label, seeds, epochs, quick, levels, checkpoints, folder };
        command.SetAction(given => run(new Settings(
            given.GetValue(data), given.GetValue(label)!, given.GetValue(seeds) ?? (given.GetValue(quick) ? 2 : 3), given.GetValue(epochs),
            given.GetValue(quick), given.GetValue(levels), given.GetValue(checkpoints), given.GetValue(folder)!)));
        return command;
    }
}
