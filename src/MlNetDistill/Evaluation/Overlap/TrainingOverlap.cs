namespace MlNetDistill.Evaluation;

/// <summary>How many test rows are also training rows. A model may remember these, so they do not show its quality on new rows.</summary>
/// <param name="Share">Share of the test rows that have the same values as a training row, in [0, 1].</param>
/// <param name="Expected">
/// Share of the training rows that have the same values as another training row, in [0, 1]. If rows have few different values, about as many test rows equal a
/// training row by chance.
/// </param>
public sealed record TrainingOverlap(double Share, double Expected)
{
    /// <summary>The share beyond the expected one, in [0, 1].</summary>
    public double Excess => Math.Max(0, Share - Expected);

    /// <summary>Both shares in a sentence.</summary>
    public override string ToString() =>
        $"{Figures.Percent(Share)} of the test rows have the same values as a training row; among the training rows, {Figures.Percent(Expected)} have the same values as another one.";
}
