using System.CommandLine;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using static TorchSharp.torch;

namespace MlNetDistill.Benchmarks;

/// <summary>
/// The most memory that a process has resident while it does one thing with many rows, beyond what it had before. The system's own figure, where it has one (Linux).
/// </summary>
internal static class MemoryUse
{
    private const int Width = 12;

    public static Command Command()
    {
        var what = new Argument<string>("what").AcceptOnlyFromAmong("evaluate", "diagnose", "report", "cache", "fit", "sparse");
        var rows = new Option<long>("--rows") { DefaultValueFactory = _ => 100_000 };
        var classes = new Option<int>("--classes") { DefaultValueFactory = _ => 1000 };
        var features = new Option<int>("--features") { Description = "of sparse rows", DefaultValueFactory = _ => 100_000 };
        var stored = new Option<int>("--stored") { Description = "features of a sparse row that are not 0", DefaultValueFactory = _ => 50 };
        var batch = new Option<int>("--batch") { DefaultValueFactory = _ => 64 };
        var topK = new Option<int?>("--top-k") { Description = "logits of a row that are cached" };
        var folder = new Option<string>("--folder") { Description = "for the cache and the report", DefaultValueFactory = _ => "artifacts/memory" };
        var command = new Command("memory", "The peak of resident memory: of the evaluation, the report, a teacher cache, a fit, or a fit of sparse rows.")
        {
            what, rows, classes, features, stored, batch, topK, folder,
        };
        command.SetAction(given =>
        {
            var (count, k, at) = (given.GetValue(rows), given.GetValue(classes), given.GetValue(folder)!);
            Directory.CreateDirectory(at);
            // What any use of the libraries costs is not what is measured.
            FitSparse(64, 100, 5, 64);
            Measure(given.GetValue(what)!, () =>
            {
                switch (given.GetValue(what))
                {
                    case "evaluate":
                        Console.WriteLine(Catalog().EvaluateDistillation(new MadeRows(count, k, Width), MadeRows.Teacher, MadeRows.Student));
                        break;
                    case "diagnose":
                        Console.WriteLine(Catalog().DiagnoseKnowledge(new MadeRows(count, k, Width), MadeRows.Teacher, MadeRows.Student));
                        break;
                    case "report":
                        Report(count, k, at);
                        break;
                    case "cache":
                        Cache(count, k, given.GetValue(topK), at);
                        break;
                    case "fit":
                        Fit(count, k, given.GetValue(batch), given.GetValue(topK));
                        break;
                    default:
                        FitSparse(count, given.GetValue(features), given.GetValue(stored), given.GetValue(batch));
                        break;
                }
            });
        });
        return command;
    }

    /// <summary>A context whose messages are printed with the memory so far, where that is asked for.</summary>
    private static MLContext Context()
    {
        var context = new MLContext(1);
        if (Environment.GetEnvironmentVariable("MLNETDISTILL_MEMORY_LOG") is not null)
            context.Log += (_, message) => Console.WriteLine(FormattableString.Invariant($"{Status("VmHWM") / 1e6:0.0} MB at most, {Status("VmRSS") / 1e6:0.0} MB now: {message.Message}"));
        return context;
    }

    private static MulticlassClassificationCatalog Catalog() => new MLContext(1).MulticlassClassification;

    private static void Measure(string what, Action act)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        // Where the system allows it, the peak begins anew.
        if (OperatingSystem.IsLinux())
            File.WriteAllText("/proc/self/clear_refs", "5");
        var (before, own, most) = (Status("VmRSS"), Status("RssAnon"), 0L);
        using var end = new ManualResetEventSlim();
        // The pages of a mapped file are resident until the system needs them for something else. Of memory that is no file, it keeps no peak.
        var watch = Task.Run(() =>
        {
            while (!end.Wait(20))
                most = Math.Max(most, Status("RssAnon"));
        });
        act();
        end.Set();
        watch.Wait();
        Console.WriteLine(FormattableString.Invariant(
            $"{what}: {before / 1e6:0} MB resident before, at most {(Status("VmHWM") - before) / 1e6:0.0} MB more; without pages of files {own / 1e6:0} MB before, at most {(most - own) / 1e6:0.0} MB more"));
    }

    private static long Status(string name) => !OperatingSystem.IsLinux() ? Environment.WorkingSet : 1024 * long.Parse(
        File.ReadLines("/proc/self/status").Single(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    private static void Report(long rows, int classes, string folder)
    {
        var context = new MLContext(1);
        var view = new MadeRows(rows, classes, Width);
        var student = context.Transforms.CopyColumns("Score", MadeRows.Student).Fit(view);
        DistillationReport.Create(context, new() { Title = "Many rows", Test = view, Student = student, TeacherScoreColumnName = MadeRows.Teacher }).Write(folder);
        foreach (var file in Directory.GetFiles(folder, "report.*"))
            Console.WriteLine(FormattableString.Invariant($"{Path.GetFileName(file)}: {new FileInfo(file).Length / 1e6:0.00} MB"));
    }

    /// <summary>Builds a cache in a folder, opens it again, and reads a batch.</summary>
    private static void Cache(long rows, int classes, int? topK, string folder)
    {
        var key = new CacheFileKey
        {
            Teacher = "made",
            Data = "made",
            Rows = rows,
            Classes = "made",
            Shapes = new(classes, null, []),
            Kept = ModelOutputs.Logits,
            Precision = CachePrecision.Half,
            TopK = topK,
        };
        var ids = Ids(rows);
        using var logits = randn(1000, classes);
        for (var pass = 0; pass < 2; pass++)
        {
            var store = new CacheStore(new() { Folder = folder, MemoryLimit = 0 }, folder, Console.WriteLine, Console.WriteLine, default);
            using var cached = store.Open(new(key, ids, CPU, from => Outputs(from)));
            using var scope = NewDisposeScope();
            Console.WriteLine(FormattableString.Invariant($"{cached.Read(arange(256).mul(rows / 256), ModelOutputs.Logits).Logits.shape[0]} rows read, {new FileInfo(Path.Combine(folder, key.FileName)).Length / 1e9:0.00} GB"));
        }

        File.Delete(Path.Combine(folder, key.FileName));

        IEnumerable<OutputChunk> Outputs(long from)
        {
            for (; from < rows; from += 1000)
            {
                using var part = logits.narrow(0, 0, Math.Min(1000, rows - from));
                yield return new([.. Enumerable.Range(0, (int)part.shape[0]).Select(i => ids[from + i])], [part]);
            }
        }
    }

    private static RowIds Ids(long rows)
    {
        var builder = new RowIdsBuilder();
        for (var row = 0L; row < rows; row++)
            builder.Add(new((ulong)row, 0));
        return builder.ToRowIds();
    }

    private static void Fit(long rows, int classes, int batch, int? topK) => Context().MulticlassClassification.Trainers.Distill(new DistillationOptions
    {
        Teacher = Teacher.FromColumn(MadeRows.Teacher),
        Student = NetworkSpec.Mlp(32),
        Epochs = 1,
        BatchSize = batch,
        TeacherCache = new() { MemoryLimit = 64 << 20, Precision = CachePrecision.Half, TopK = topK },
        Seed = 1,
    }).Fit(new MadeRows(rows, classes, Width));

    private static void FitSparse(long rows, int features, int stored, int batch)
    {
        var context = Context();
        var schema = SchemaDefinition.Create(typeof(Words));
        schema[nameof(Words.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        schema[nameof(Words.Label)].ColumnType = new KeyDataViewType(typeof(uint), 2);
        context.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Student = NetworkSpec.Mlp(4),
            Method = DistillationMethod.LabelsOnly(),
            Epochs = 1,
            BatchSize = batch,
            Seed = 1,
        }).Fit(context.Data.LoadFromEnumerable(Draw(rows, features, stored), schema));
    }

    /// <summary>Rows of two classes, told apart by their first feature; made when they are read.</summary>
    private static IEnumerable<Words> Draw(long rows, int features, int stored)
    {
        var (places, values) = (new SortedSet<int>(), Enumerable.Repeat(1f, stored).ToArray());
        for (var row = 0L; row < rows; row++)
        {
            var random = new Random((int)row);
            places.Clear();
            places.Add((int)(row % 2));
            while (places.Count < stored)
                places.Add(random.Next(2, features));
            yield return new Words { Label = (uint)(row % 2), Features = new VBuffer<float>(features, stored, values, [.. places]) };
        }
    }

    private sealed class Words
    {
        public uint Label { get; set; }

        public VBuffer<float> Features { get; set; }
    }
}
