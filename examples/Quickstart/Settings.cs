using System.CommandLine;

namespace Quickstart;

/// <summary>The settings on the command line.</summary>
internal sealed record Settings(
    string? Data, string? Label, int? Epochs, int Seed, bool Quick, int MinimumKept, int? MinimumAgreement, string? Checkpoints, string? Measure)
{
    public static RootCommand Command(Func<Settings, int> run)
    {
        var data = CommandLine.Text(
            "--data", "DIR|FILE", "Fashion-MNIST, a folder with its four IDX files, gzipped or not; or a CSV of numbers; without it, digits drawn by the program");
        var label = CommandLine.Text("--label", "COLUMN", "the CSV's label: its name, or its index from 0 where there is no header");
        var epochs = CommandLine.Number("--epochs", "passes over the training rows, for each of the three networks");
        var seed = CommandLine.Number("--seed", "seed of all random numbers", otherwise: 1, atLeast: 0);
        var quick = new Option<bool>("--quick") { Description = "fewer rows and epochs: to see how it works, not how good it is" };
        var kept = CommandLine.Number("--minimum-retention", "least percentage of the teacher's accuracy that the student must keep", otherwise: 90);
        var agreement = CommandLine.Number("--minimum-agreement", "least percentage of the test rows for which teacher and student must predict the same class", atMost: 100);
        var checkpoints = CommandLine.Text("--checkpoints", "DIR", "save the state of each training in DIR once a minute and when the program is stopped; the same command goes on from there");
        var measure = CommandLine.Text("--measure", "ZIP", "only measure the cost of a model that this program saved, and print it as JSON");
        var command = new RootCommand(
            "Trains a teacher, a small student alone and the same student distilled, compares them and writes student.zip and report/. " +
            "The exit code is 0 if the student is accepted and 3 if it is not, for use in a release pipeline.")
        { data, label, epochs, seed, quick, kept, agreement, checkpoints, measure };
        command.SetAction(given => run(new Settings(
            given.GetValue(data), given.GetValue(label), given.GetValue(epochs), given.GetValue(seed)!.Value, given.GetValue(quick),
            given.GetValue(kept)!.Value, given.GetValue(agreement), given.GetValue(checkpoints), given.GetValue(measure))));
        return command;
    }
}
