namespace MlNetDistill.Evaluation;

/// <summary>Watches the process's working set from a thread of its own, and knows by how much it has grown at most.</summary>
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
        // Unused pages are returned first, so that they do not hide what is measured.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _before = _largest = Environment.WorkingSet;
        _thread = new Thread(Watch) { IsBackground = true, Name = "Working set" };
        _thread.Start();
    }

    /// <summary>Stops watching, and says by how many bytes it had grown at its largest.</summary>
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
