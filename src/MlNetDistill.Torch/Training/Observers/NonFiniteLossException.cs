namespace MlNetDistill.Training;

/// <summary>A loss became NaN or infinite; training was stopped.</summary>
public sealed class NonFiniteLossException : InvalidOperationException
{
    internal NonFiniteLossException(IReadOnlyList<string> terms, string stage, int epoch, double learningRate, IReadOnlyList<string> causes)
        : base($"The loss {(terms.Count == 1 ? "term" : "terms")} {string.Join(" and ", terms.Select(t => $"'{t}'"))} became NaN or infinite " +
               FormattableString.Invariant($"in epoch {epoch} of stage '{stage}' (learning rate {learningRate:G6}). ") +
               string.Concat(causes.Select(cause => $"{cause} ")) +
               $"{(causes.Count == 0 ? "Usual" : "Other usual")} causes are a learning rate that is too high and features of very different scales: lower Optimizer.LearningRate, set " +
               "GradientClipping (1 is a usual value), use LearningRateSchedule.OneCycle or a warm-up, or normalise the features " +
               "(mlContext.Transforms.NormalizeMeanVariance).")
    {
        Term = terms[0];
        Stage = stage;
        Epoch = epoch;
    }

    /// <summary>The term that became non-finite; of several in one epoch the first in the order of the loss.</summary>
    public string Term { get; }

    /// <summary>The stage.</summary>
    public string Stage { get; }

    /// <summary>The epoch, from 1.</summary>
    public int Epoch { get; }
}
