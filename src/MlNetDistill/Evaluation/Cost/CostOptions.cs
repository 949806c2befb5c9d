using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>How much is measured to say what a model costs.</summary>
public sealed record CostOptions
{
    /// <summary>
    /// Predictions through a <c>PredictionEngine</c> before the first that is measured, at least 0: the runtime compiles what runs often a second time.
    /// </summary>
    public int WarmupPredictions { get; init; } = 500;

    /// <summary>Predictions through a <c>PredictionEngine</c> that are measured, at least 1.</summary>
    public int Predictions { get; init; } = 2000;

    /// <summary>Passes of <c>Transform</c> over all rows before the first that is measured, at least 0.</summary>
    public int WarmupPasses { get; init; } = 2;

    /// <summary>Passes of <c>Transform</c> over all rows that are measured, at least 1.</summary>
    public int Passes { get; init; } = 10;

    /// <summary>
    /// Most time to spend on each of the two, above 0, a quarter of it for warming up. A slow model is measured less often then, but at least once.
    /// </summary>
    public TimeSpan MaximumTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Of(this);

    /// <exception cref="ArgumentOutOfRangeException">Settings are out of their ranges; the message names every one.</exception>
    internal void Check()
    {
        var faults = Validate().ToList();
        if (faults.Count > 0)
            throw new ArgumentOutOfRangeException("options", string.Join(" ", faults));
    }

    private IEnumerable<string> Validate()
    {
        if (WarmupPredictions < 0)
            yield return Invariant($"WarmupPredictions must be at least 0; was {WarmupPredictions}.");
        if (Predictions < 1)
            yield return Invariant($"Predictions must be at least 1; was {Predictions}.");
        if (WarmupPasses < 0)
            yield return Invariant($"WarmupPasses must be at least 0; was {WarmupPasses}.");
        if (Passes < 1)
            yield return Invariant($"Passes must be at least 1; was {Passes}.");
        if (MaximumTime <= TimeSpan.Zero)
            yield return Invariant($"MaximumTime must be above 0; was {MaximumTime}.");
    }
}
