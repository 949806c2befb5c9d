using System.CommandLine;

namespace Quickstart;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings(
    string? Data, string? Label, int? Epochs, int Seed, bool Quick, int MinimumKept, int? MinimumAgreement, string? Measure)
{
    public static RootCommand Command(Func<Settings, int> run)
    {
        var data = CommandLine.Text(
            "--data", "DIR|FILE", "Fashion-MNIST, a folder with its four IDX files, gzipped or not; or a CSV of numbers; without it, digits drawn by the program");
        var label = CommandLine.Text("--label", "COLUMN", "the CSV's label: its name, or its index from 0 where there is no header");
        var epochs = CommandLine.Number("--epochs", "passes over the training rows, for each of the three networks");
        var seed = CommandLine.Number("--seed", "seed of every draw", otherwise: 1, atLeast: 0);
        var quick = new Option<bool>("--quick") { Description = "fewer rows and epochs: a look at how it works, not at how good it gets" };
        var kept = CommandLine.Number("--minimum-retention", "least percentage of the teacher's accuracy that the student must keep", otherwise: 90);
        var agreement = CommandLine.Number("--minimum-agreement", "least percentage of the test rows for which both must name the same class", atMost: 100);
        var measure = CommandLine.Text("--measure", "ZIP", "print what a model costs that this program saved, as JSON, and nothing else");
        var command = new RootCommand(
            "Trains a teacher, a small student alone and the same student distilled, compares them and writes student.zip and report/. " +
            "Ends with 0 if the student is accepted and with 3 if it is not, so that it can stand in a release pipeline.")
        { data, label, epochs, seed, quick, kept, agreement, measure };
        command.SetAction(given => run(new Settings(
            given.GetValue(data), given.GetValue(label), given.GetValue(epochs), given.GetValue(seed)!.Value, given.GetValue(quick),
            given.GetValue(kept)!.Value, given.GetValue(agreement), given.GetValue(measure))));
        return command;
    }
}
