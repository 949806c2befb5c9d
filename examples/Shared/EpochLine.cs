using System.Diagnostics;
using MlNetDistill.Training;

namespace Examples;

/// <summary>Shows the epoch of a training in a line. (Not Progress&lt;T&gt;: it reports from other threads, so epochs may arrive in another order.)</summary>
internal sealed class EpochLine(string what, Action<string> show) : IProgress<TrainingProgress>
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private long _shown;

    public void Report(TrainingProgress value)
    {
        // A small network has hundreds of epochs a second, and drawing a table takes as long as some of them.
        if (Stopwatch.GetElapsedTime(_shown) < Pause)
            return;
        show($"{what}: {value.Stage} {value.Epoch}/{value.Epochs}, {value.TimeLeft:mm\\:ss} left");
        _shown = Stopwatch.GetTimestamp();
    }
}
