namespace MlNetDistill.Evaluation;

/// <summary>How far predictions are above chance, that is, above predictions that use class frequencies alone.</summary>
/// <param name="Accuracy">Share of rows predicted correctly.</param>
/// <param name="MajorityShare">Share of the most frequent class: the accuracy of always predicting it.</param>
/// <param name="MacroAccuracy">Mean over classes of the accuracy on their rows; always predicting one class gives 1/K.</param>
/// <param name="Classes">Number of classes that have a row, K.</param>
internal readonly record struct ChanceLevel(double Accuracy, double MajorityShare, double MacroAccuracy, int Classes)
{
    /// <summary>How far above chance predictions must be, as a share of the distance from chance to 1.</summary>
    private const double Margin = 0.05;

    /// <summary>
    /// Whether predictions are no better than chance by both measures. One measure is not enough: a model that knows a rare class has a low accuracy, and one that knows the most frequent class has a low
    /// mean over classes. With a single class nothing can be concluded.
    /// </summary>
    public bool IsChance => Classes >= 2 && Accuracy < Least(MajorityShare) && MacroAccuracy < Least(1.0 / Classes);

    /// <summary>The figures, as part of a sentence.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Accuracy:0.0000} (always predicting the most frequent class gives {MajorityShare:0.0000}), the mean over classes {MacroAccuracy:0.0000} (always predicting one class gives {1.0 / Math.Max(1, Classes):0.0000})");

    /// <summary>The least share that is above chance.</summary>
    public static double Least(double chance) => chance + (Margin * (1 - chance));
}
