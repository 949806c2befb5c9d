using System.CommandLine;

namespace TextExample;

/// <summary>The settings on the command line.</summary>
internal sealed record Settings(int Seeds, bool Quick)
{
    /// <summary>Messages with a label, which teacher and student alone learn from.</summary>
    public static int Labelled => 1000;

    /// <summary>Messages without a label, which only the teacher answers.</summary>
    public int Unlabelled => Quick ? 8000 : 20_000;

    public int Test => Quick ? 1000 : 4000;

    public static RootCommand Command(Func<Settings, int> run)
    {
        var seeds = CommandLine.Number("--seeds", "repetitions, each with other messages and students (3, with --quick 1)");
        var quick = new Option<bool>("--quick") { Description = "fewer messages and one seed: to see how it works, not how good it is" };
        var command = new RootCommand(
            "Distils an ensemble of linear models over word and letter sequences into a small network over hashed words, with many messages that have no label, " +
            "and writes student.zip and report/. The exit code is 0 if the student is smaller, faster and no less accurate than the student alone, and 3 if not.")
        { seeds, quick };
        command.SetAction(given => run(new Settings(given.GetValue(seeds) ?? (given.GetValue(quick) ? 1 : 3), given.GetValue(quick))));
        return command;
    }
}
