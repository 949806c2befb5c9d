using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>What training does where a loss or a gradient is NaN or infinite.</summary>
public sealed record NonFiniteHandling
{
    private NonFiniteHandling()
    {
    }

    /// <summary>Throw <see cref="NonFiniteLossException"/>, which names term, stage, epoch, batch and rows.</summary>
    public static NonFiniteHandling Stop { get; } = new();

    /// <summary>The most batches of a stage that are not learnt from; null if none may be.</summary>
    public int? MaxSkippedBatches { get; private init; }

    /// <summary>How often a stage may go back to the end of its last good epoch; null if it may not.</summary>
    public int? MaxTimesBack { get; private init; }

    /// <summary>The factor of the learning rate for each time that a stage goes back.</summary>
    public double RateFactor { get; private init; } = 1;

    /// <summary>
    /// Do not learn from such a batch, and go on with the next: weights, running statistics and the optimizer stay as they were before it. A warning names the first of a stage, and
    /// progress counts them. Every step then looks at all gradients, and on a GPU waits for them. The teacher of a bilevel stage (MetaDistil) is not covered: if its quiz or its gradient is
    /// not finite, training stops. An epoch of which every batch is skipped stops training too; so with one batch an epoch, none can be skipped. Where such an epoch is cut off by
    /// cancellation or the end of the time, it does not count.
    /// </summary>
    /// <param name="maxPerStage">The most such batches of a stage, at least 1; training stops at the next.</param>
    public static NonFiniteHandling SkipBatch(int maxPerStage = 10) => new() { MaxSkippedBatches = maxPerStage };

    /// <summary>
    /// Go back to the end of the last good epoch, or to the beginning of the stage, and go on from there with lower learning rates: with the weights, the optimizer, projections, random
    /// numbers, batches and counters of then, in bilevel stages also those of the teacher's copy. A copy of all these is kept in memory. A warning names each time, and progress counts them.
    /// </summary>
    /// <param name="times">How often a stage may go back, at least 1; training stops at the next.</param>
    /// <param name="rateFactor">The factor of all learning rates of the stage for each time, in (0, 1].</param>
    public static NonFiniteHandling GoBack(int times = 3, double rateFactor = 0.1) => new() { MaxTimesBack = times, RateFactor = rateFactor };

    /// <summary>What is done, in one line.</summary>
    public override string ToString() =>
        MaxSkippedBatches is { } batches ? $"skip at most {batches} {(batches == 1 ? "batch" : "batches")} of a stage"
        : MaxTimesBack is { } times ? Invariant($"go back at most {NumberText.Count(times, "time")} in a stage, each with {RateFactor} of the rate")
        : "stop";

    internal IEnumerable<string> Validate(string name) =>
    [
        .. Faults.AtLeast(1, $"{name}: the batches that SkipBatch allows", MaxSkippedBatches),
        .. Faults.AtLeast(1, $"{name}: the times that GoBack allows", MaxTimesBack),
        .. Faults.Unless(RateFactor is > 0 and <= 1, $"{name}: the factor of GoBack must be in (0, 1]; was {RateFactor}."),
    ];
}
