using MlNetDistill.Training;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// A place where the progress of a training is written, one report after the other, from whatever threads they come. It never stops a training: what goes wrong
/// in writing a report is kept in <see cref="LastError"/>, and the next report is tried again.
/// </summary>
public abstract class ProgressSink : IProgress<TrainingProgress>
{
    private readonly Lock _lock = new();
    private readonly Action<Exception>? _onError;

    private protected ProgressSink(Action<Exception>? onError) => _onError = onError;

    /// <summary>What went wrong last; null while nothing has.</summary>
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
                // A full disk must not cost hours of training, nor must it pass unseen.
                LastError = e;
                _onError?.Invoke(e);
            }
        }
    }

    /// <summary>Writes a report, one at a time.</summary>
    private protected abstract void Write(TrainingProgress progress);
}
