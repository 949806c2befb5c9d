using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;

namespace MlNetDistill.Benchmarks;

/// <summary>What a teacher cache costs: an epoch of KD from a warm one against an epoch on labels alone, and building one against querying the teacher once.</summary>
internal static class CacheCost
{
    private const int BatchSize = 128;

    // Until the runtime has compiled what runs often for good.
    private const int WarmUps = 12;

    public static void Run(Arguments arguments)
    {
        torch.set_num_threads(arguments.Threads);
        var folder = Directory.CreateTempSubdirectory("cache-cost").FullName;
        try
        {
            Training(arguments, folder);
            Building(arguments, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Training(Arguments arguments, string folder)
    {
        var (context, data, train) = Load(arguments);
        // What the teacher knows does not matter for the time.
        Accuracy.Fit(context, data, train, data.Student, Route.Train(data.Teacher, epochs: 1, folder: folder), DistillationMethod.Kd(), 1, seed: 1);
        var teacher = Route.FromCheckpoints(data.Teacher, Path.Combine(folder, "anchor-0001.weights"));
        var cache = new TeacherCacheOptions { Folder = Path.Combine(folder, "caches") };
        Accuracy.Fit(context, data, train, data.Student, teacher, DistillationMethod.Kd(), 1, seed: 1, cache: cache);

        var warm = cache with { Mode = CacheMode.UseOnly };
        // A round is the median of several epochs, which should be short: the shorter the turns, the more alike is what else the machine does in them.
        const int epochs = 10;
        var turns = new Turns();
        var meters = new[] { new Meter(turns, 0), new Meter(turns, 1) };
        Parallel(
            training => Fit(arguments, training == 0 ? null : teacher, training == 0 ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(),
                1 + (arguments.Rounds * epochs), meters[training], warm),
            turns);
        var times = meters.Select(m => m.Seconds.Skip(1).Chunk(epochs).Select(Median).ToArray()).ToArray();
        Print("step on labels alone", times[0], "step of KD from a warm cache", times[1]);
    }

    private static void Fit(
        Arguments arguments, Teacher? teacher, DistillationMethod method, int epochs, Meter meter, TeacherCacheOptions cache)
    {
        // Each thread has its own number of threads.
        torch.set_num_threads(arguments.Threads);
        var (context, data, train) = Load(arguments);
        Accuracy.Fit(context, data, train, data.Student, teacher, method, epochs, seed: 7, meter, cache: cache);
    }

    private static void Parallel(Action<int> train, Turns turns)
    {
        Task Start(int training) => Task.Factory.StartNew(
            () =>
            {
                try
                {
                    train(training);
                }
                finally
                {
                    turns.End(training);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Task.WaitAll(Start(0), Start(1));
    }

    private static void Building(Arguments arguments, string folder)
    {
        var (_, data, train) = Load(arguments);
        using var set = RowsOf(train, data);
        var statistics = set.IsByte ? new InputStatistics([73], [90]) : null;
        using var network = data.Teacher.Build(new NetworkInput(set.Shape, set.IsByte, statistics), (int)set.Labels.data<long>().Max() + 1, seed: 1);
        var times = new[] { new List<double>(), new List<double>() };
        for (var round = -WarmUps; round < arguments.Rounds; round++)
        {
            var options = new TeacherCacheOptions { Folder = Path.Combine(folder, $"round {round}") };
            foreach (var kind in round % 2 == 0 ? new[] { 0, 1 } : [1, 0])
            {
                using var teacher = new NetworkTeacher(network, new TeacherCaching(
                    new CacheStore(options, folder, _ => { }, _ => { }, CancellationToken.None), BatchSize));
                var clock = Stopwatch.StartNew();
                if (kind == 0)
                    Query(teacher, set);
                else
                    teacher.Begin(set, ModelOutputs.Logits, null);
                if (round >= 0)
                    times[kind].Add(clock.Elapsed.TotalSeconds);
            }
        }

        Print("querying the teacher for all rows", [.. times[0]], "building the cache in a folder", [.. times[1]]);
    }

    private static void Query(NetworkTeacher teacher, IRowSource set)
    {
        using var all = torch.arange(set.Count, torch.int64);
        foreach (var positions in Chunks.Split(all, BatchSize))
        {
            using var scope = torch.NewDisposeScope();
            teacher.Outputs(Batch.Gather(set, positions), ModelOutputs.Logits);
        }
    }

    private static InMemoryRows RowsOf(IDataView train, DataSet data)
    {
        var labels = train.GetColumn<uint>("Class").Select(key => (long)key - 1).ToArray();
        var ids = RowIds.From(labels.Select((_, i) => new RowId((ulong)i, 0)));
        if (data.Teacher.Image is { } image)
        {
            var pixels = train.GetColumn<byte[]>("Features").SelectMany(row => row).ToArray();
            return new(torch.tensor(pixels, [ids.Count, .. image.Dimensions]), torch.tensor(labels), ids, image);
        }

        var values = train.GetColumn<float[]>("Features").ToArray();
        var shape = InputShape.Vector(values[0].Length);
        return new(torch.tensor(values.SelectMany(row => row).ToArray(), [ids.Count, .. shape.Dimensions]), torch.tensor(labels), ids, shape);
    }

    private static (MLContext Context, DataSet Data, IDataView Train) Load(Arguments arguments)
    {
        var context = new MLContext(seed: 1);
        var data = DataSet.Load(context, arguments.DataSet, arguments.Data, arguments.Hidden);
        var rows = context.Data.TakeRows(data.Train, arguments.Rows);
        return (context, data, context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(data.Train).Transform(rows));
    }

    private static void Print(string plain, double[] before, string cached, double[] after)
    {
        double[] ratios = [.. after.Zip(before, (a, b) => a / b)];
        Console.WriteLine($"{plain}: {1000 * Median(before):0.000} ms; {cached}: {1000 * Median(after):0.000} ms; " +
            $"ratio {Median(ratios):0.00} ({ratios.Min():0.00} to {ratios.Max():0.00}), {ratios.Length} rounds");
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    /// <summary>The mean time of a step, epoch by epoch.</summary>
    private sealed class Meter(Turns turns, int training) : IProgress<TrainingProgress>
    {
        public List<double> Seconds { get; } = [];

        public void Report(TrainingProgress value)
        {
            Seconds.Add(BatchSize / value.RowsPerSecond);
            // The first epoch warms up.
            if (value.Epoch > 1)
                turns.After(training, value.Epoch - 1);
            turns.Wait(training);
        }
    }
}
