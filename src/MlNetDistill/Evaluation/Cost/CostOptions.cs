using MlNetDistill.Core;

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
    public override string ToString() => SettingText.Describe(this);

    /// <exception cref="ArgumentOutOfRangeException">Settings are out of their ranges; the message names every one.</exception>
    internal void Check() => Faults.ThrowIfAny(Validate(), "options");

    private IEnumerable<string> Validate() =>
    [
        .. Faults.AtLeast(0, nameof(WarmupPredictions), WarmupPredictions),
        .. Faults.AtLeast(1, nameof(Predictions), Predictions),
        .. Faults.AtLeast(0, nameof(WarmupPasses), WarmupPasses),
        .. Faults.AtLeast(1, nameof(Passes), Passes),
        .. Faults.Above0(nameof(MaximumTime), MaximumTime),
    ];
}
