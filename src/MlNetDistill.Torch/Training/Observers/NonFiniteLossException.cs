using MlNetDistill.Core;

namespace MlNetDistill.Training;

/// <summary>A loss, a gradient or a weight became NaN or infinite; training was stopped.</summary>
public sealed class NonFiniteLossException : InvalidOperationException
{
    internal const string Gradient = "gradient";
    internal const string Weights = "weights";

    internal NonFiniteLossException(IReadOnlyList<string> terms, string stage, int epoch, double learningRate, IReadOnlyList<string> causes, NonFinitePlace? place = null)
        : base($"{DescribeSubject(terms)} became NaN or infinite " +
               FormattableString.Invariant($"in epoch {epoch} of stage '{stage}' (learning rate {learningRate:G6}). ") +
               (place is null ? "" : $"It was batch {place.Batch} of the epoch, {place}. ") +
               string.Concat(causes.Select(cause => $"{cause} ")) +
               $"{(causes.Count == 0 ? "Usual" : "Other usual")} causes are a learning rate that is too high and features of very different scales: lower Optimizer.LearningRate, set " +
               "GradientClipping (1 is a usual value), use LearningRateSchedule.OneCycle or a warm-up, or normalise the features " +
               "(mlContext.Transforms.NormalizeMeanVariance).")
    {
        Term = terms[0];
        Stage = stage;
        Epoch = epoch;
        Batch = place?.Batch;
        Rows = place?.Rows ?? [];
        RowCount = place?.RowCount ?? 0;
    }

    /// <summary>
    /// The term that became non-finite; of several in one step the first in the order of the loss. <c>gradient</c> where the losses of the step were finite and their gradient was not,
    /// <c>weights</c> where the step made weights NaN or infinite.
    /// </summary>
    public string Term { get; }

    /// <summary>The stage.</summary>
    public string Stage { get; }

    /// <summary>The epoch, from 1.</summary>
    public int Epoch { get; }

    /// <summary>The number of the batch in its epoch, from 1; null if it is not known.</summary>
    public int? Batch { get; }

    /// <summary>The ids of the first rows of the batch, at most 10; empty if the batch is not known.</summary>
    public IReadOnlyList<RowId> Rows { get; }

    /// <summary>Number of rows of the batch; 0 if it is not known.</summary>
    public long RowCount { get; }

    /// <summary>What became NaN or infinite, as the subject of a sentence.</summary>
    internal static string DescribeSubject(IReadOnlyList<string> terms) => terms switch
    {
        [Gradient] => "The gradient of the loss",
        [Weights] => "Weights of the network",
        _ => $"The loss {(terms.Count == 1 ? "term" : "terms")} {string.Join(" and ", terms.Select(t => $"'{t}'"))}",
    };
}
