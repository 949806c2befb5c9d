using System.CommandLine;

namespace SearchExample;

/// <summary>The settings on the command line.</summary>
internal sealed record Settings(bool Quick, bool Smallest, string? Folder, string Out)
{
    public static RootCommand Command(Action<Settings> run)
    {
        var quick = new Option<bool>("--quick") { Description = "fewer rows and candidates: to see how it works" };
        var smallest = new Option<bool>("--smallest") { Description = "look for the smallest student that keeps 98 % of the teacher's accuracy, instead of the most accurate" };
        var folder = CommandLine.Text("--folder", "DIR", "where finished trainings are kept, so that an interrupted search continues there");
        var report = CommandLine.Text("--out", "DIR", "where the report goes", "report");
        var command = new RootCommand("Searches the settings with which a small network learns most from boosted trees, and says whether it pays.") { quick, smallest, folder, report };
        command.SetAction(given => run(new Settings(given.GetValue(quick), given.GetValue(smallest), given.GetValue(folder), given.GetValue(report)!)));
        return command;
    }
}
