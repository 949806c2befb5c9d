using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Benchmarks;

/// <summary>What a checkpoint after every epoch costs: the time to save the state in the middle of a training, beside the time of the epoch.</summary>
internal static class CheckpointCost
{
    private const int Epochs = 3;
    private const int BatchSize = 128;

    public static void Run(Arguments arguments)
    {
        set_num_threads(arguments.Threads);
        var rows = Math.Min(arguments.Rows, 10_000);
        Measure(NetworkSpec.Mlp(128), InputShape.Vector(16), 26, rows, arguments.Rounds);
        Measure(NetworkSpec.ResNet(8), InputShape.Image(1, 28, 28), 10, rows, arguments.Rounds);
        Measure(NetworkSpec.ResNet(20), InputShape.Image(3, 32, 32), 100, rows, arguments.Rounds);
    }

    private static void Measure(NetworkSpec spec, InputShape shape, int classes, int rows, int saves)
    {
        var folder = Directory.CreateTempSubdirectory("MlNetDistill.Benchmarks-").FullName;
        try
        {
            using var drawing = new Generator(1);
            using var set = new InMemoryRows(
                randn([rows, .. shape.Dimensions], generator: drawing), arange(rows).remainder(classes), RowIds.From(Enumerable.Range(0, rows).Select(i => new RowId((ulong)i, 0))), shape);
            using var split = DataSplit.All(set);
            using var student = spec.Build(new NetworkInput(shape, false), classes, 1);
            var times = new List<double>();
            TrainingLoop? loop = null;
            var checkpoints = new RunCheckpoints(folder, "student", new CheckpointOptions(), Console.WriteLine);
            var epochs = new List<double>();
            var clock = Stopwatch.StartNew();
            void Save(TrainingProgress progress)
            {
                epochs.Add(clock.Elapsed.TotalMilliseconds);
                for (var i = 0; i < saves; i++)
                {
                    var start = Stopwatch.GetTimestamp();
                    checkpoints.Save(loop!.State);
                    times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }

                clock.Restart();
            }

            loop = new TrainingLoop(student, new MulticlassTask(classes), set, split, new Seeds(1), "student", new LoopSettings { Report = Save });
            using (loop)
                loop.Run([new Stage("labels", null, new CrossEntropyLoss(), new ShuffledSampler(BatchSize), Epochs, Optimizer.AdamW(0.002), LearningRateSchedule.OneCycle())]);
            var (save, epoch) = (Median(times), Median(epochs));
            Console.WriteLine(FormattableString.Invariant(
                $"{spec.Name} over {shape}, {rows:N0} rows: an epoch takes {epoch:0} ms, a checkpoint of {Directory.GetFiles(folder).Max(file => new FileInfo(file).Length):N0} bytes {save:0.0} ms ({times.Min():0.0} to {times.Max():0.0}): {100 * save / epoch:0.0} %"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
