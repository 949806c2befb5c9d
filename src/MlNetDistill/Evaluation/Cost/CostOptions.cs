using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>How often a model's cost is measured.</summary>
public sealed record CostOptions
{
    /// <summary>
    /// Predictions through a <c>PredictionEngine</c> before measuring, at least 0: .NET recompiles methods that run often.
    /// </summary>
    public int WarmupPredictions { get; init; } = 500;

    /// <summary>Measured predictions through a <c>PredictionEngine</c>, at least 1.</summary>
    public int Predictions { get; init; } = 2000;

    /// <summary>Passes of <c>Transform</c> over all rows before measuring, at least 0.</summary>
    public int WarmupPasses { get; init; } = 2;

    /// <summary>Measured passes of <c>Transform</c> over all rows, at least 1.</summary>
    public int Passes { get; init; } = 10;

    /// <summary>
    /// Time limit for the predictions and for the passes each, above 0; at most a quarter of it is warm-up. A slow model is then measured less often, but at least once.
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
