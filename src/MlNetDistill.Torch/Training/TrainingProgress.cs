using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>How training stands after an epoch.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Epoch">The epoch just finished, from 1.</param>
/// <param name="Epochs">Epochs of the stage.</param>
/// <param name="Losses">Mean of each named term over the epoch, unweighted, and their weighted sum as <c>total</c>.</param>
/// <param name="LearningRate">The learning rate of the epoch's last step.</param>
/// <param name="ValidationAccuracy">
/// Share of the held-out rows labelled rightly, in [0, 1]; null without held-out rows, where these have no labels, and in a stage that learns features and no logits.
/// </param>
/// <param name="ValidationLoss">
/// Cross-entropy on the held-out rows in nats: with the labels, or with the teacher's probabilities where there are none; null where neither
/// <paramref name="ValidationAccuracy"/> nor <see cref="ValidationAgreement"/> is known.
/// </param>
/// <param name="RowsPerSecond">Rows trained on in a second, validation not counted.</param>
/// <param name="TimeLeft">Estimated time to the end of the stage.</param>
/// <param name="Elapsed">Time since the network's first epoch began, validation included.</param>
public sealed record TrainingProgress(
    string Stage,
    int Epoch,
    int Epochs,
    IReadOnlyDictionary<string, double> Losses,
    double LearningRate,
    double? ValidationAccuracy,
    double? ValidationLoss,
    double RowsPerSecond,
    TimeSpan TimeLeft,
    TimeSpan Elapsed)
{
    /// <summary>
    /// Share of the held-out rows for which the student names its teacher's class, in [0, 1], where these rows have no labels to judge it by; else null.
    /// </summary>
    public double? ValidationAgreement { get; init; }

    /// <summary>Losses, and validation accuracy or agreement.</summary>
    internal string Figures => string.Join(", ", Losses.Select(l => Invariant($"{l.Key} {l.Value:0.0000}")))
        + (ValidationAccuracy is { } accuracy ? Invariant($", validation accuracy {accuracy:0.0000}") : "")
        + (ValidationAgreement is { } agreement ? Invariant($", validation agreement {agreement:0.0000}") : "");

    /// <summary>Everything, in a line.</summary>
    public override string ToString()
    {
        var left = Invariant($"{(long)TimeLeft.TotalHours:00}:{TimeLeft:mm\\:ss}");
        return Invariant($"{Stage} epoch {Epoch}/{Epochs}: {Figures}, rate {LearningRate:G3}, {RowsPerSecond:N0} rows/s, {left} left");
    }
}
