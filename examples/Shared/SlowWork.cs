using System.Diagnostics;
using MlNetDistill.Training;

namespace Examples;

/// <summary>Shows the progress of a long training: a line every five seconds, with the time left in the stage.</summary>
internal sealed class SlowWork(string what) : IProgress<TrainingProgress>
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private long _shown = Stopwatch.GetTimestamp();

    public void Report(TrainingProgress value)
    {
        if (Stopwatch.GetElapsedTime(_shown) < Pause)
            return;
        Console.WriteLine($"  {what}, {value.Stage}: epoch {value.Epoch} of {value.Epochs}, {value.TimeLeft:mm\\:ss} left");
        _shown = Stopwatch.GetTimestamp();
    }
}
