using MlNetDistill.Training;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// Writes the progress of training somewhere. Reports may come from several threads and are written one at a time. A failure does not stop training: it is kept in
/// <see cref="LastError"/>, a warning tells the first of a training, and the next report is written as usual.
/// </summary>
public abstract class ProgressSink : IProgress<TrainingProgress>
{
    private readonly Lock _lock = new();
    private readonly Action<Exception>? _onError;

    private protected ProgressSink(Action<Exception>? onError) => _onError = onError;

    /// <summary>The exception of the last report that could not be written; null if there was none.</summary>
    public Exception? LastError { get; private set; }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lock)
        {
            try
            {
                Write(value);
            }
            catch (Exception e)
            {
                // A full disk must not end hours of training, but the caller must be able to see it.
                LastError = e;
                _onError?.Invoke(e);
            }
        }
    }

    /// <summary>Writes a report; never called twice at the same time.</summary>
    private protected abstract void Write(TrainingProgress progress);
}
