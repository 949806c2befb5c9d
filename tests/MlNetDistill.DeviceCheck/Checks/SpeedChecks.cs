using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;

namespace MlNetDistill.DeviceCheck;

/// <summary>Rows trained on in a second, ResNet-32x4 teaching ResNet-8x4 on images of 3×32×32, in turn with the same loop in PyTorch (speed.py).</summary>
internal static class SpeedChecks
{
    private static readonly int[] Widths = [32, 64, 128, 256];
    private static PyTorch? _pyTorch;

    public static IEnumerable<Check> Create(Settings settings)
    {
        var size = settings.IsGpu ? new Size(20_480, [64, 512], 2.5, 2) : new Size(64, [16, 32], 1, 1);
        return from batch in size.Batches
               from kind in new[] { "plain", "kd", "live" }
               select new Check($"speed: {kind}, batch {batch}", () => Compare(settings, size, kind, batch), 100);
    }

    private static string Compare(Settings settings, Size size, string kind, int batch)
    {
        var (ours, totals, theirs) = (new List<double>(), new List<double>(), new List<double>());
        string? without = null;
        for (var round = 0; round < size.Rounds; round++)
        {
            var (median, total) = Ours(settings, size, kind, batch);
            ours.Add(median);
            totals.Add(total);
            try
            {
                _pyTorch ??= PyTorch.Start(settings.DeviceName, size.Rows);
                theirs.Add(_pyTorch.RowsPerSecond(kind, batch, size.Seconds));
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                without = e.Message;
                _pyTorch = null;
            }
        }

        // "kd" reads the teacher cache, "live" queries the teacher in every step with rows that are flipped at random.
        return $"rows/s by the median epoch {Text(ours)}, over all epochs {Text(totals)}"
            + (theirs.Count == 0 ? $"; no PyTorch to compare with: {without}" : $"; PyTorch {Text(theirs)}; ratio {totals.Average() / theirs.Average():0.00}");
    }

    private static string Text(IEnumerable<double> values) => string.Join(" and ", values.Select(v => $"{v:0}"));

    private static (double Median, double Total) Ours(Settings settings, Size size, string kind, int batch)
    {
        var context = new MLContext(1);
        var view = context.MadeUp(size.Rows);
        var shape = InputShape.Image(3, 32, 32);
        using var teacher = NetworkSpec.ResNet(32, shape, Widths).Build(new NetworkInput(shape, false, new InputStatistics([0.5f], [0.25f])), 100, 1);
        teacher.to(settings.Device);
        var meter = new Meter(size.Rows, size.Seconds);
        try
        {
            context.Fit(
                Pair.Quick with
                {
                    Teacher = Teacher.FromModule(teacher, rows => teacher.Forward(rows, ModelOutputs.Logits), new TeacherInput { Scale = 1 / 255f }, scoreKind: ScoreKind.Logits),
                    Student = NetworkSpec.ResNet(8, Widths),
                    Method = kind == "plain" ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(),
                    Augmentations = kind == "live" ? [Augmentation.HorizontalFlip()] : [],
                    MinimumTeacherAccuracy = 0,
                    Optimizer = Optimizer.Sgd(0.01),
                    Epochs = 100_000,
                    BatchSize = batch,
                    Device = settings.Training,
                    Progress = meter,
                    CancellationToken = meter.Token,
                },
                view);
        }
        catch (OperationCanceledException)
        {
            return meter.Speeds();
        }

        throw new Fault("training ended by itself");
    }

    private sealed record Size(int Rows, int[] Batches, double Seconds, int Rounds);

    /// <summary>Leaves the first epoch out, and cancels once enough time is measured.</summary>
    private sealed class Meter(int rowsOfEpoch, double seconds) : IProgress<TrainingProgress>
    {
        private readonly CancellationTokenSource _source = new();
        private readonly Stopwatch _clock = new();
        private readonly List<double> _speeds = [];
        private TimeSpan _last;

        public CancellationToken Token => _source.Token;

        public void Report(TrainingProgress value)
        {
            if (!_clock.IsRunning)
            {
                _clock.Start();
                return;
            }

            _speeds.Add(value.RowsPerSecond);
            _last = _clock.Elapsed;
            if (_last.TotalSeconds > seconds)
                _source.Cancel();
        }

        /// <summary>By the median epoch as progress says it; over all epochs and what lies between them by our own clock.</summary>
        public (double Median, double Total) Speeds() => (_speeds.Order().ElementAt(_speeds.Count / 2), _speeds.Count * rowsOfEpoch / _last.TotalSeconds);
    }
}
