namespace MlNetDistill.Evaluation;

/// <summary>Measures the peak growth of the process's working set, from a thread of its own.</summary>
internal sealed class WorkingSetPeak : IDisposable
{
    // Loading a small model takes some tens of milliseconds.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(1);
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _thread;
    private readonly long _before;
    private long _largest;

    public WorkingSetPeak()
    {
        // Frees unused memory first, which would otherwise hide growth.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _before = _largest = Environment.WorkingSet;
        _thread = new Thread(Watch) { IsBackground = true, Name = "Working set" };
        _thread.Start();
    }

    /// <summary>Stops measuring and returns the peak growth in bytes.</summary>
    public long Stop()
    {
        _ended.Set();
        _thread.Join();
        return Math.Max(_largest, Environment.WorkingSet) - _before;
    }

    public void Dispose()
    {
        Stop();
        _ended.Dispose();
    }

    private void Watch()
    {
        do
            _largest = Math.Max(_largest, Environment.WorkingSet);
        while (!_ended.Wait(Interval));
    }
}
