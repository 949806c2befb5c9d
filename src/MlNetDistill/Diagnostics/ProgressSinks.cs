using System.Runtime.ExceptionServices;
using MlNetDistill.Training;

namespace MlNetDistill.Diagnostics;

/// <summary>Combines progress sinks.</summary>
public static class ProgressSinks
{
    /// <summary>A sink that reports to several others, in this order.</summary>
    /// <param name="sinks">The sinks. If one throws, the others still get the report; then its exception is thrown, which training logs and continues.</param>
    /// <exception cref="ArgumentException">A sink is null.</exception>
    public static IProgress<TrainingProgress> All(params IProgress<TrainingProgress>[] sinks)
    {
        ArgumentNullException.ThrowIfNull(sinks);
        return sinks.Contains(null!)
            ? throw new ArgumentException($"Sink {Array.IndexOf(sinks, null)} of {sinks.Length} is null. Leave it out.", nameof(sinks))
            : new CombinedSink([.. sinks]);
    }

    /// <summary>The exceptions of reports that the library's sinks could not write, of each the last.</summary>
    internal static IEnumerable<Exception> FindErrors(IProgress<TrainingProgress>? sink) => sink switch
    {
        ProgressSink { LastError: { } error } => [error],
        CombinedSink combined => combined.Sinks.SelectMany(FindErrors),
        _ => [],
    };

    private sealed class CombinedSink(IReadOnlyList<IProgress<TrainingProgress>> sinks) : IProgress<TrainingProgress>
    {
        public IReadOnlyList<IProgress<TrainingProgress>> Sinks => sinks;

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
