namespace MlNetDistill.Benchmarks;

/// <summary>
/// Lets two trainings in one process take turns, epoch by epoch, so that what else the machine does slows both alike. Only one trains at a time; the order
/// changes from round to round: A, B B, A A, B B, and so on.
/// </summary>
internal sealed class Turns
{
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim[] _mayGo = [new(true), new(false)];
    private bool _oneIsDone;

    /// <summary>Waits until it is the turn of training 0 or 1.</summary>
    public void Wait(int training) => _mayGo[training].Wait();

    /// <summary>Called after each measured epoch with its number, from 1.</summary>
    public void After(int training, int epoch)
    {
        if (epoch % 2 == 1 - training)
            Pass(training);
    }

    /// <summary>The training is over, however it ended.</summary>
    public void End(int training)
    {
        lock (_lock)
        {
            _oneIsDone = true;
            _mayGo[1 - training].Set();
        }
    }

    private void Pass(int training)
    {
        lock (_lock)
        {
            if (_oneIsDone)
                return;
            _mayGo[training].Reset();
            _mayGo[1 - training].Set();
        }
    }
}
