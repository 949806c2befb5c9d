using System.CommandLine;
using MlNetDistill.Kill;

// Usage: MlNetDistill.Kill [--times N] [--seed N] [--trainings NAMES]
//        MlNetDistill.Kill train NAME FOLDER: one training, with its checkpoints in FOLDER/checkpoints; it leaves its student as FOLDER/student.bytes, its weights and scores.
var times = CommandLine.Number("--times", "kills of each training (50)");
var seed = CommandLine.Number("--seed", "seed of the moments", 0);
var names = CommandLine.Text("--trainings", "NAMES", $"trainings, separated by commas: {string.Join(", ", Trainings.Names)} (all)");
var name = new Argument<string>("NAME");
var folder = new Argument<string>("FOLDER");
var train = new Command("train", "Trains in a process of its own.") { name, folder };
train.SetAction(given => Trainings.Train(given.GetValue(name)!, given.GetValue(folder)!));
var root = new RootCommand(
    "Trains students in processes of their own, kills each process (kill -9) at a random moment, continues from its checkpoints, and compares the student's file with that of a training that was " +
    "not killed, byte by byte. Ends with 1 if one differs or a process fails.")
{ times, seed, names, train };
root.SetAction(given =>
{
    var runs = (CommandLine.Names(given, names, Trainings.Names) ?? Trainings.Names).Select(training => new KillRun(training, given.GetValue(times) ?? 50, given.GetValue(seed) ?? 1).Run()).ToList();
    Console.WriteLine(FormattableString.Invariant($"{runs.Sum(run => run.Kills)} kills of {runs.Count} trainings: {runs.Sum(run => run.Students)} students, {runs.Sum(run => run.Faults)} faults"));
    return runs.Sum(run => run.Faults) == 0 ? 0 : 1;
});
return CommandLine.Run(root, args);
