using System.CommandLine;
using System.Globalization;
using DoesItPay.Data;
using DoesItPay.Training;

namespace DoesItPay;

/// <summary>The settings on the command line.</summary>
internal sealed record Settings
{
    public string? Data { get; init; }

    public required IReadOnlyList<string> Sets { get; init; }

    public required IReadOnlyList<string> Teachers { get; init; }

    /// <summary>Sizes of the students; null for the usual two of each set.</summary>
    public IReadOnlyList<int>? Students { get; init; }

    /// <summary>Percent of the training rows whose labels are known.</summary>
    public required IReadOnlyList<int> Regimes { get; init; }

    public required IReadOnlyList<string> Arms { get; init; }

    public int Seeds { get; init; }

    /// <summary>Passes over the training rows; null for the library's default.</summary>
    public int? Epochs { get; init; }

    public int Threads { get; init; }

    public bool EqualSteps { get; init; }

    public bool Quick { get; init; }

    /// <summary>Whether nothing is trained, and only the table and the chart are written again.</summary>
    public bool TableOnly { get; init; }

    public required string Out { get; init; }

    public static RootCommand Command(Action<Settings> run)
    {
        var data = CommandLine.Text("--data", "DIR", "a folder with the folders letter-recognition, dry-bean, adult, fashion-mnist and cifar100, or those of them that are used");
        var sets = CommandLine.Text("--sets", "NAMES", $"data sets, separated by commas: {string.Join(", ", DataSets.Names)} (those made by the program, and with --data all but cifar; with --quick orders,rings)");
        var teachers = CommandLine.Text("--teachers", "NAMES", $"teachers: {string.Join(", ", TeacherKinds.Names)} (all; with --quick lightgbm)");
        var students = CommandLine.Text("--students", "SIZES", "units of the students' hidden layer; for images channels of their first part (32,128; for images 8,16)");
        var regimes = CommandLine.Text("--regimes", "PERCENT", "shares of the training rows whose labels are known (100,25,5)");
        var arms = CommandLine.Text("--arms", "NAMES", $"ways to train a student: {string.Join(", ", ArmList.All.Select(arm => arm.Name))} (all)");
        var seeds = CommandLine.Number("--seeds", "students of each kind (5, with --quick 1)");
        var epochs = CommandLine.Number("--epochs", "passes over the training rows (the library's default)");
        var threads = CommandLine.Number("--threads", "threads of a tensor operation and of a forest's training", 1);
        var equalSteps = new Option<bool>("--equal-steps") { Description = "train the student alone for as many steps as the longest of the distilled ones" };
        var quick = new Option<bool>("--quick") { Description = "few rows, epochs and seeds: to see how it works, not what pays" };
        var table = new Option<bool>("--table") { Description = "train nothing; write the table and the chart of the runs that are there" };
        var folder = CommandLine.Text("--out", "DIR", "where the files go", Path.Combine("artifacts", "does-it-pay"));
        var command = new RootCommand(
            "Measures whether distilling pays: data sets × shares of labelled rows × teachers × student sizes × ways to train × seeds. Each run is a file in runs/, so a " +
            "run that is there is not repeated, and several processes can fill one folder. Writes results.json, table.md and chart.svg.")
        { data, sets, teachers, students, regimes, arms, seeds, epochs, threads, equalSteps, quick, table, folder };
        command.SetAction(given =>
        {
            var isQuick = given.GetValue(quick);
            run(new Settings
            {
                Data = given.GetValue(data),
                Sets = CommandLine.Names(given, sets, DataSets.Names) ?? DataSets.Usual(given.GetValue(data) is not null, isQuick),
                Teachers = CommandLine.Names(given, teachers, TeacherKinds.Names) ?? (isQuick ? ["lightgbm"] : TeacherKinds.Names),
                Students = Numbers(students, int.MaxValue) ?? (isQuick ? [32] : null),
                Regimes = Numbers(regimes, 100) ?? (isQuick ? [100, 25] : [100, 25, 5]),
                Arms = CommandLine.Names(given, arms, [.. ArmList.All.Select(arm => arm.Name)]) ?? [.. ArmList.All.Select(arm => arm.Name)],
                Seeds = given.GetValue(seeds) ?? (isQuick ? 1 : 5),
                Epochs = given.GetValue(epochs) ?? (isQuick ? 10 : null),
                Threads = given.GetValue(threads) ?? 1,
                EqualSteps = given.GetValue(equalSteps),
                Quick = isQuick,
                TableOnly = given.GetValue(table),
                Out = given.GetValue(folder)!,
            });

            IReadOnlyList<int>? Numbers(Option<string?> option, int most) => CommandLine.Parts(given, option)?.Select(part =>
                int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
                    ? number
                    : throw new UsageException($"{option.Name} must be followed by whole numbers from 1{(most < int.MaxValue ? $" to {most}" : " on")}; found '{part}'.")).ToList();
        });
        return command;
    }
}
