using MlNetDistill.Diagnostics;
using MlNetDistill.Training;

namespace MlNetDistill.Fitting;

/// <summary>Reports epochs to the log and to the application.</summary>
/// <param name="channel">The log.</param>
/// <param name="progress">The application's display, or null.</param>
internal sealed class GuardedProgress(WarningChannel channel, IProgress<TrainingProgress>? progress)
{
    private readonly HashSet<string> _faults = [];

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
    }
}
