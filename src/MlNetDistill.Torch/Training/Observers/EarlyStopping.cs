using MlNetDistill.Core;

namespace MlNetDistill.Training;

/// <summary>When to stop before the last epoch. Needs held-out rows.</summary>
/// <param name="Patience">The number of epochs without improvement after which the stage ends, at least 1.</param>
/// <param name="MinimumImprovement">Gain in quality on the held-out rows (accuracy, or agreement with the teacher if they have no labels) that counts as improvement, in [0, 1).</param>
public sealed record EarlyStopping(int Patience = 5, double MinimumImprovement = 0)
{
    /// <summary>The settings, in one line if they fit.</summary>
    public override string ToString() => SettingText.Describe(this);

    internal IEnumerable<string> Validate() =>
    [
        .. Faults.AtLeast(1, "EarlyStopping.Patience", Patience),
        .. Faults.ShareBelow1("EarlyStopping.MinimumImprovement", MinimumImprovement),
    ];
}

/// <summary>What to do when training is cancelled.</summary>
public enum CancellationBehavior
{
    /// <summary>Throw <see cref="OperationCanceledException"/>.</summary>
    Throw,

    /// <summary>
    /// Stop training and return the student: with the weights of its best epoch so far, of all stages, if rows are held out, otherwise with its current weights.
    /// Before the first step there is nothing to return, and <see cref="OperationCanceledException"/> is thrown.
    /// </summary>
    ReturnBest,
}
