using MlNetDistill.Diagnostics;
using MlNetDistill.Training;

namespace MlNetDistill.Fitting;

/// <summary>Reports epochs to the log and to the application.</summary>
/// <param name="channel">The log.</param>
/// <param name="progress">The application's display, or null.</param>
internal sealed class GuardedProgress(WarningChannel channel, IProgress<TrainingProgress>? progress)
{
    private readonly HashSet<string> _faults = [];

    // An error of an earlier training with the same sink is not told again.
    private readonly HashSet<Exception> _known = [.. ProgressSinks.FindErrors(progress)];
    private bool _toldOfSink;

    public void Report(TrainingProgress epoch)
    {
        channel.Info($"{epoch}");
        try
        {
            progress?.Report(epoch);
        }
        catch (Exception fault)
        {
            // A failure of the progress display must not end a long training; the same failure is reported once.
            if (_faults.Add($"{fault.GetType()} {fault.Message}"))
            {
                channel.Warning(
                    $"Progress threw {fault.GetType().Name} at the report of stage '{epoch.Stage}', epoch {epoch.Epoch}: {fault.Message} Training continues. To stop it, cancel the CancellationToken of the options.");
            }
        }

        WarnOfSinks();
    }

    /// <summary>The library's sinks keep their errors: without a look at them, a file that ends early would be all that there is to see.</summary>
    private void WarnOfSinks()
    {
        foreach (var error in ProgressSinks.FindErrors(progress).Where(_known.Add))
        {
            // A disk that is full stays so for a while.
            if (!_toldOfSink)
                channel.Warning($"A report of the progress was not written: {error.Message} Training continues, and the next reports are tried; LastError of the sink has the last error.");
            _toldOfSink = true;
        }
    }
}
