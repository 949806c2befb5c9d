using MlNetDistill.Training;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// A place where the progress of a training is written, one report after the other, from whatever threads they come. It never stops a training: what goes wrong
/// in writing a report is kept in <see cref="Fault"/>, and the next report is tried again.
/// </summary>
public abstract class ProgressSink : IProgress<TrainingProgress>
{
    private readonly Lock _lock = new();
    private readonly Action<Exception>? _faulted;

    private protected ProgressSink(Action<Exception>? faulted) => _faulted = faulted;

    /// <summary>What went wrong last; null while nothing has.</summary>
    public Exception? Fault { get; private set; }

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
            catch (Exception fault)
            {
                // A full disk must not cost hours of training, nor must it pass unseen.
                Fault = fault;
                _faulted?.Invoke(fault);
            }
        }
    }

    /// <summary>Writes a report, one at a time.</summary>
    private protected abstract void Write(TrainingProgress progress);
}
