namespace MlNetDistill.Training;

/// <summary>
/// The time that the networks of a fit may train, all together. A stopwatch measures it, so changes of the system's clock do not matter.
/// </summary>
/// <param name="limit">The time; null for no limit.</param>
/// <param name="time">The clock; by default that of the system.</param>
internal sealed class TrainingBudget(TimeSpan? limit, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private TimeSpan _before;
    private long? _began;

    /// <summary>The time that the networks may train; null for no limit.</summary>
    public TimeSpan? Limit => limit;

    /// <summary>The time that networks have trained so far.</summary>
    public TimeSpan Used => _before + (_began is { } began ? _time.GetElapsedTime(began) : TimeSpan.Zero);

    /// <summary>Whether all of it is used.</summary>
    public bool IsUsedUp => limit is { } most && Used >= most;

    /// <summary>A network begins to train.</summary>
    public void Begin() => _began = _time.GetTimestamp();

    /// <summary>It has ended.</summary>
    public void End() => (_before, _began) = (Used, null);
}
