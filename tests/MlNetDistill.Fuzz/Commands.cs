using System.CommandLine;
using System.Diagnostics;
using MlNetDistill.Fuzz.Readers;
using MlNetDistill.Fuzz.Running;

namespace MlNetDistill.Fuzz;

/// <summary>The command line.</summary>
internal static class Commands
{
    private const int DefaultInputs = 20_000;

    public static RootCommand Root()
    {
        var inputs = CommandLine.Number("--inputs", "inputs of each reader; of a slow one fewer", otherwise: DefaultInputs);
        var seed = CommandLine.Number("--seed", "seed of the changes", otherwise: 1, atLeast: 0);
        var readers = CommandLine.Text("--readers", "NAMES", $"readers, separated by commas, out of {string.Join(", ", AllReaders.Names)}; all unless given");
        var folder = CommandLine.Text("--out", "DIR", "folder for inputs that show a fault, and for the table", otherwise: Path.Combine("artifacts", "fuzz"));
        var only = CommandLine.Number("--input", "number of a single input to read, which --readers, --seed and this make again", atLeast: 0);
        var root = new RootCommand(
            "Gives every reader of the library valid files that were changed, and checks that each is read or refused with a documented exception, without a hang, a leak or " +
            "more memory than its length allows. The same seed gives the same inputs. Ends with 1 if there was a fault.")
        { inputs, seed, readers, folder, only };
        root.SetAction(given =>
        {
            var settings = new FuzzSettings(given.GetValue(inputs)!.Value, given.GetValue(seed)!.Value, given.GetValue(folder)!, given.GetValue(only));
            return Run(CommandLine.Names(given, readers, AllReaders.Names) ?? AllReaders.Names, settings);
        });
        return root;
    }

    private static int Run(IReadOnlyList<string> names, FuzzSettings settings)
    {
        Directory.CreateDirectory(settings.Folder);
        using var watchdog = new Watchdog(settings.Folder);
        var tally = new Tally();
        foreach (var name in names)
        {
            using var reader = AllReaders.Create(name);
            tally.Add(new FuzzRun(reader, settings, watchdog).Run());
            Console.WriteLine(tally.LastLine);
        }

        using var process = Process.GetCurrentProcess();
        var table = tally.ToMarkdown() + FormattableString.Invariant($"\nPeak memory of the process: {process.PeakWorkingSet64 >> 20} MiB. Seed: {settings.Seed}.\n");
        File.WriteAllText(Path.Combine(settings.Folder, "table.md"), table);
        Console.WriteLine();
        Console.Write(table);
        return tally.HasFaults ? 1 : 0;
    }
}
