namespace MlNetDistill.Training;

/// <summary>The training of a fit has used up its time, and returns nothing.</summary>
public sealed class TrainingTimeoutException : TimeoutException
{
    internal TrainingTimeoutException(string message, string stage, int epoch, TimeSpan limit)
        : base(message) => (Stage, Epoch, Limit) = (stage, epoch, limit);

    /// <summary>The stage that was trained.</summary>
    public string Stage { get; }

    /// <summary>The epoch, from 1.</summary>
    public int Epoch { get; }

    /// <summary>The time that the networks of the fit were given.</summary>
    public TimeSpan Limit { get; }
}
