
namespace MlNetDistill.Evaluation;

/// <summary>How many test rows are among the rows trained on: what a model gives for these is memory, and says nothing of other rows.</summary>
/// <param name="Share">Share of the test rows whose values are those of a row trained on, in [0, 1].</param>
/// <param name="Expected">
/// The same share of the training rows among themselves, in [0, 1]: where rows have few different values, as many of any other rows are known too, and nothing
/// is wrong.
/// </param>
public sealed record TrainingOverlap(double Share, double Expected)
{
    /// <summary>What is more than expected, in [0, 1].</summary>
    public double Excess => Math.Max(0, Share - Expected);

    /// <summary>Both shares in a sentence.</summary>
    public override string ToString() =>
        $"{Figures.Percent(Share)} of the test rows have the values of a row trained on; of the training rows among themselves {Figures.Percent(Expected)} have.";
}
