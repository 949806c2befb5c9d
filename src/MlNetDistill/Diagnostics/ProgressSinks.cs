using System.Runtime.ExceptionServices;
using MlNetDistill.Training;

namespace MlNetDistill.Diagnostics;

/// <summary>Several places for progress as one.</summary>
public static class ProgressSinks
{
    /// <summary>Reports to all of them, in this order.</summary>
    /// <param name="sinks">Where to report to. What one throws is thrown when all have been told; a training logs it and goes on.</param>
    /// <exception cref="ArgumentException">One is null.</exception>
    public static IProgress<TrainingProgress> All(params IProgress<TrainingProgress>[] sinks)
    {
        ArgumentNullException.ThrowIfNull(sinks);
        return sinks.Contains(null!)
            ? throw new ArgumentException($"Sink {Array.IndexOf(sinks, null)} of {sinks.Length} is null. Leave it out.", nameof(sinks))
            : new Several([.. sinks]);
    }

    private sealed class Several(IReadOnlyList<IProgress<TrainingProgress>> sinks) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            ExceptionDispatchInfo? first = null;
            foreach (var sink in sinks)
            {
                try
                {
                    sink.Report(value);
                }
                catch (Exception e)
                {
                    first ??= ExceptionDispatchInfo.Capture(e);
                }
            }

            first?.Throw();
        }
    }
}
