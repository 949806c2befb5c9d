using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using TorchSharp;

namespace MlNetDistill.Benchmarks;

/// <summary>Rows trained on in a second: the median over epochs of what progress reports, the first epochs left out as warm-up.</summary>
internal static class Speed
{
    public static void Run(Arguments arguments)
    {
        torch.set_num_threads(arguments.Threads);
        var context = new MLContext(seed: 1);
        var data = DataSet.Load(context, arguments.DataSet, arguments.Data, arguments.Hidden);
        if (data.Student is ResNetSpec student)
            data = data with { Student = student with { Depth = arguments.Depth } };
        var train = context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(data.Train).Transform(context.Data.TakeRows(data.Train, arguments.Rows));
        var method = arguments.Kind switch
        {
            "plain" => DistillationMethod.LabelsOnly(),
            "kd" => DistillationMethod.Kd(),
            "dist" => DistillationMethod.Dist(),
            "cckd" => DistillationMethod.Cckd(),
            "rco" => DistillationMethod.Rco(schedule: RcoSchedule.OneStage),
            "sskd" => DistillationMethod.Sskd(),
            var other => throw new ArgumentException($"The kind must be plain, kd, dist, cckd, rco or sskd; was '{other}'."),
        };
        // What the teacher knows does not matter for the time; its size does where it answers live.
        var teacher = arguments.Kind == "plain" ? null : Route.Train(data.Teacher, every: 1, epochs: 1);
        var meter = new Meter(arguments.Seconds);
        Accuracy.Fit(context, data, train, data.Student, teacher, method, 100_000, 7, meter, meter.Token, precision: arguments.Precision, batchSize: arguments.Batch);
        Console.WriteLine($"{arguments.DataSet} {arguments.Kind} {meter.RowsPerSecond:0} rows/s");
    }

    /// <summary>Collects the student's epochs and cancels once enough time is measured.</summary>
    private sealed class Meter(double seconds) : IProgress<TrainingProgress>
    {
        private readonly CancellationTokenSource _source = new();
        private readonly List<double> _speeds = [];
        private readonly System.Diagnostics.Stopwatch _clock = new();

        public CancellationToken Token => _source.Token;

        public double RowsPerSecond => _speeds.Order().ElementAt(_speeds.Count / 2);

        public void Report(TrainingProgress value)
        {
            if (value.Stage == "teacher")
                return;
            if (!_clock.IsRunning)
                _clock.Start();
            else
                _speeds.Add(value.RowsPerSecond);
            if (_clock.Elapsed.TotalSeconds > seconds)
                _source.Cancel();
        }
    }
}
