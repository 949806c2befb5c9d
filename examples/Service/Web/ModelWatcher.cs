using Service.Scoring;

namespace Service.Web;

/// <summary>
/// Replaces the student when its file changes. It looks at the file's time and size, because the system's notifications do not come from all network drives and mounted
/// volumes. A file is loaded when it is the same at two looks, so that one that is being copied is left alone until it is complete.
/// </summary>
internal sealed class ModelWatcher(CurrentStudent current, ServiceSettings settings) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.WatchSeconds == 0)
            return;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(settings.WatchSeconds));
        var before = current.LastTried;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // A file that is gone, or that may not be read, is no replacement.
            var now = FileStamp.Of(settings.Model);
            if (now is not null && now == before && now != current.LastTried)
                await current.Reload();
            before = now;
        }
    }
}
