using System.CommandLine;
using System.Diagnostics;
using MlNetDistill.Hostile.Faults;
using MlNetDistill.Hostile.Mutations;
using MlNetDistill.Hostile.Uses;

namespace MlNetDistill.Hostile;

/// <summary>What can be asked for.</summary>
internal static class Commands
{
    private const int ShortCount = 12;
    private const int LongCount = 1000;

    public static RootCommand Root()
    {
        var root = new RootCommand(
            "Uses the library wrongly and gives it damaged files, in second processes, and counts what comes of it. " +
            "Ends with 1 where anything was unclear, silently wrong, a crash or a hang.")
        { Uses(), Mutations(), Faults(), All(), Child("child-uses", UseCases.All), Child("child-faults", FaultCases.All), MutationsOfChild() };
        return root;
    }

    private static Command Uses()
    {
        var (whole, only) = (Whole(), CommandLine.Text("--only", "TEXT", "only the cases whose name holds this"));
        var command = new Command("uses", "Wrong uses of the public surface; a part of them unless --long is given.") { whole, only };
        command.SetAction(given => Told(null, tally => Uses(tally, given.GetValue(whole), given.GetValue(only))));
        return command;
    }

    private static Command Mutations()
    {
        var format = new Argument<string>("FORMAT") { Description = $"one of: {string.Join(", ", FileFormats.All.Select(f => f.Name))}" };
        var count = CommandLine.Number("--count", "how many", otherwise: LongCount);
        var seed = CommandLine.Number("--seed", "seed of the changes", otherwise: 1, atLeast: 0);
        var command = new Command("mutations", "Damaged files of one format.") { format, count, seed };
        command.SetAction(given => Told(null, tally =>
            Mutations(tally, FileFormats.Named(given.GetValue(format)!), given.GetValue(count)!.Value, given.GetValue(seed)!.Value)));
        return command;
    }

    private static Command Faults()
    {
        var only = CommandLine.Text("--only", "TEXT", "only the cases whose name holds this");
        var command = new Command("faults", "Disks that are full, read-only, gone or without locks, under everything that the library writes, and memory that the system refuses. Small disks take an administrator.") { only };
        command.SetAction(given => Told(null, tally => Faults(tally, given.GetValue(only))));
        return command;
    }

    private static Command All()
    {
        var whole = Whole();
        var seed = CommandLine.Number("--seed", "seed of the changes", otherwise: 1, atLeast: 0);
        var file = CommandLine.Text("--out", "FILE", "where the table is written too");
        var command = new Command("all", $"Wrong uses and damaged files of every format: a part of the uses and {ShortCount} files each, or with --long all uses and {LongCount} files each.")
        { whole, seed, file };
        command.SetAction(given => Told(given.GetValue(file), tally =>
        {
            Uses(tally, given.GetValue(whole), null);
            foreach (var format in FileFormats.All)
                Mutations(tally, format, given.GetValue(whole) ? LongCount : ShortCount, given.GetValue(seed)!.Value);
            Faults(tally, null);
        }));
        return command;
    }

    private static Command Child(string name, IReadOnlyList<Case> all)
    {
        var jobs = new Argument<string>("JOBS");
        var command = new Command(name) { jobs };
        command.Hidden = true;
        command.SetAction(given =>
        {
            var cases = all.ToDictionary(c => c.Name);
            Running.Child.Run(given.GetValue(jobs)!, job => cases[job].Try());
        });
        return command;
    }

    private static Command MutationsOfChild()
    {
        var (format, intact, seed, jobs) = (new Argument<string>("FORMAT"), new Argument<string>("INTACT"), new Argument<int>("SEED"), new Argument<string>("JOBS"));
        var command = new Command("child-mutations") { format, intact, seed, jobs };
        command.Hidden = true;
        command.SetAction(given =>
        {
            var trial = new MutationTrial(FileFormats.Named(given.GetValue(format)!), given.GetValue(intact)!, given.GetValue(seed));
            Running.Child.Run(given.GetValue(jobs)!, trial.Try);
        });
        return command;
    }

    private static Option<bool> Whole() => new("--long") { Description = "all of it" };

    private static int Told(string? file, Action<Tally> run)
    {
        var watch = Stopwatch.StartNew();
        var tally = new Tally();
        run(tally);
        Console.WriteLine();
        Console.Write(tally.ToMarkdown());
        Console.WriteLine(FormattableString.Invariant($"{watch.Elapsed.TotalSeconds:0} s"));
        if (file is not null)
            File.WriteAllText(file, tally.ToMarkdown());
        return tally.HasFaults ? 1 : 0;
    }

    private static void Uses(Tally tally, bool whole, string? only)
    {
        var cases = UseCases.All.Where(c => only is not null ? c.Name.Contains(only, StringComparison.OrdinalIgnoreCase) : whole || UseCases.IsInShortRun(c)).ToDictionary(c => c.Name);
        if (cases.Count == 0)
            throw new UsageException($"No case has '{only}' in its name.");
        var supervisor = new Supervisor(jobs => ["child-uses", jobs], job => TimeSpan.FromSeconds(cases[job].Seconds), Say);
        tally.Add("wrong uses", supervisor.Run([.. cases.Keys]));
    }

    private static void Faults(Tally tally, string? only)
    {
        var cases = FaultCases.All.Where(c => only is null || c.Name.Contains(only, StringComparison.OrdinalIgnoreCase)).ToDictionary(c => c.Name);
        if (cases.Count == 0)
            throw new UsageException($"No case has '{only}' in its name.");
        var (unlocked, locked) = (cases.Keys.Where(HasNoLocks).ToArray(), cases.Keys.Where(name => !HasNoLocks(name)).ToArray());
        TimeSpan Limit(string name) => TimeSpan.FromSeconds(cases[name].Seconds);
        // .NET locks no file with this variable: as on a file system without locks.
        tally.Add("faulty disks, refused memory", [
            .. new Supervisor(jobs => ["child-faults", jobs], Limit, Say).Run(locked),
            .. new Supervisor(jobs => ["child-faults", jobs], Limit, Say, ("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", "true")).Run(unlocked),
        ]);

        static bool HasNoLocks(string name) => name.StartsWith(FaultCases.WithoutLocks, StringComparison.Ordinal);
    }

    private static void Mutations(Tally tally, FileFormat format, int count, int seed)
    {
        using var intact = new ToyFolder();
        format.Make(intact.Path);
        var supervisor = new Supervisor(
            jobs => ["child-mutations", format.Name, intact.Path, FormattableString.Invariant($"{seed}"), jobs], _ => TimeSpan.FromSeconds(60), Say);
        tally.Add(format.Title, supervisor.Run([.. Enumerable.Range(1, count).Select(i => FormattableString.Invariant($"{format.Name} {i}"))]));
    }

    private static void Say(Result result)
    {
        if (result.IsFault || result.Verdict == Verdict.Skipped)
            Console.WriteLine($"{result.Verdict}: {result.Job}: {result.Detail}");
    }
}
