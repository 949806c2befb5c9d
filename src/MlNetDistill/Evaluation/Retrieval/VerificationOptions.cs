using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>Settings of the evaluation of a verification: whether two rows are of the same identity, by the cosine of their embeddings.</summary>
public sealed record VerificationOptions
{
    /// <summary>The false accept rates at which the true accept rate is measured, each in (0, 1).</summary>
    public IReadOnlyList<double> FalseAcceptRates { get; init; } = [0.001, 0.01, 0.1];

    /// <summary>Number of folds of the accuracy over given pairs, at least 2; the LFW protocol has 10. Not used where all pairs of rows are compared.</summary>
    public int Folds { get; init; } = 10;

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <exception cref="ArgumentOutOfRangeException">Settings are out of their ranges; the message names every one.</exception>
    internal void Check() => Faults.ThrowIfAny(
        [
            .. FalseAcceptRates is null
                ? ["FalseAcceptRates must be set; an empty list is for none."]
                : FalseAcceptRates.SelectMany(rate => Faults.Unless(rate is > 0 and < 1, $"FalseAcceptRates must be in (0, 1); one was {rate}.")),
            .. Faults.AtLeast(2, nameof(Folds), Folds),
        ],
        "options");
}
