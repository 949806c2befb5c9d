using MlNetDistill.Data;
using MlNetDistill.Hostile.Uses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;

namespace MlNetDistill.Hostile.Faults;

/// <summary>Something that the library writes into a folder.</summary>
/// <param name="Name">What.</param>
/// <param name="Before">Writes an earlier one there, which must stay as it is.</param>
/// <param name="Write">Writes the next one there.</param>
/// <param name="Words">What an error must name.</param>
internal sealed record Writing(string Name, Action<string> Before, Action<string> Write, params string[] Words)
{
    // Enough rows and weights that nothing that is written fits into two pages.
    private const int Count = 2000;
    private static readonly NetworkSpec Network = NetworkSpec.Mlp(64, 64);

    /// <summary>Whether it creates its folder.</summary>
    public bool CreatesFolder { get; init; }

    /// <summary>Ends of the names of files that may stay although they are not complete, because a later run continues them.</summary>
    public string[] Continued { get; init; } = [];

    /// <summary>Writes while something happens between two of its files; null where it writes one file, or all at once.</summary>
    public Action<string, Action>? WriteWhile { get; init; }

    public static IReadOnlyList<Writing> All { get; } =
    [
        new("model", folder => Save(folder, 1), folder => Save(folder, 2), "student.zip", "the model"),
        new("report", folder => Report(folder, "before"), folder => Report(folder, "after"), "report", "the report") { CreatesFolder = true },
        new("teacher cache", folder => Cache(folder, 60), folder => Cache(folder, Count), "cache", "teacher") { CreatesFolder = true, Continued = [".partial"] },
        new("rows", _ => { }, Rows, "rows", "training rows") { CreatesFolder = true },
        new("search", folder => Search(folder, 1, () => { }), folder => Search(folder, 2, () => { }), "search-", "search")
        {
            CreatesFolder = true,
            WriteWhile = (folder, happens) => Search(folder, 2, happens),
        },
        new("checkpoints", folder => Checkpoints(folder, 1, () => { }), folder => Checkpoints(folder, 2, () => { }), "checkpoint")
        {
            CreatesFolder = true,
            WriteWhile = (folder, happens) => Checkpoints(folder, 2, happens),
        },
    ];

    private static DistillationOptions Options(int seed) => Sample.Short() with { Student = Network, Seed = seed, BatchSize = 256 };

    private static void Save(string folder, int seed) => Sample.Fit(Options(seed)).SaveAtomically(Path.Combine(folder, "student.zip"));

    private static void Report(string folder, string title)
    {
        var context = Log.Context();
        var view = Sample.Points();
        DistillationReport.Create(context, new() { Title = title, Test = view, Student = context.Fit(Options(1), view), Teacher = context.Fit(Options(2), view) }).Write(Path.Combine(folder, "report"));
    }

    private static void Cache(string folder, int rows) => Sample.Fit(
        Sample.Short(Sample.Teaching("faults")) with { TeacherCache = new() { Folder = Path.Combine(folder, "cache") } }, Sample.Points(rows));

    private static void Rows(string folder) => Sample.Fit(
        Options(1) with { RowStorage = new RowStorageOptions { MemoryLimit = 0, Folder = Path.Combine(folder, "rows") } }, Sample.Points(Count));

    private static void Search(string folder, int seed, Action happens)
    {
        var options = Sample.Short(Sample.Teaching()) with { Student = Network, Seed = seed };
        Sample.Trainer(options).Search(Sample.Points(), new SearchOptions
        {
            Space = new SearchSpace { Methods = [DistillationMethod.Kd(), DistillationMethod.Kd(2, 0.5)], LearningRates = [0.03], TransferRows = [null] },
            MinimumSteps = 1,
            Folder = Path.Combine(folder, "search"),
            Progress = new Sink<SearchProgress>(happens),
        });
    }

    private static void Checkpoints(string folder, int seed, Action happens)
    {
        var teacher = Route.Train(Network, every: 1, epochs: 3, folder: Path.Combine(folder, $"checkpoints-{seed}"));
        Sample.Fit(Sample.Short(teacher) with { Method = DistillationMethod.Rco(), Epochs = 3, Seed = seed, Progress = new Sink<MlNetDistill.Training.TrainingProgress>(happens) });
    }

    private sealed class Sink<T>(Action happens) : IProgress<T>
    {
        public void Report(T value) => happens();
    }
}
