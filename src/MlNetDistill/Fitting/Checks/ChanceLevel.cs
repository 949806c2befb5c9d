namespace MlNetDistill.Fitting;

/// <summary>How far answers are above those of somebody who knows the classes' shares and nothing of the rows.</summary>
/// <param name="Accuracy">Share of the rows named rightly.</param>
/// <param name="MajorityShare">Share of the most frequent class: what always naming it gives.</param>
/// <param name="MacroAccuracy">Mean over classes of the share of their rows named rightly; whoever names one class alone has 1/K.</param>
/// <param name="Classes">Number of classes that have a row, K.</param>
internal readonly record struct ChanceLevel(double Accuracy, double MajorityShare, double MacroAccuracy, int Classes)
{
    /// <summary>Share of the way from chance to certainty that answers must be above chance.</summary>
    private const double Margin = 0.05;

    /// <summary>
    /// Whether the answers are no better than chance by both measures: of a rare class's specialist the accuracy alone may be, of a model of a very frequent class
    /// the mean over classes. Of one class alone nothing can be said.
    /// </summary>
    public bool IsChance => Classes >= 2 && Accuracy < Least(MajorityShare) && MacroAccuracy < Least(1.0 / Classes);

    /// <summary>The figures in a sentence's part.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Accuracy:0.0000} (always naming the most frequent class gives {MajorityShare:0.0000}), the mean over classes {MacroAccuracy:0.0000} (one class alone gives {1.0 / Math.Max(1, Classes):0.0000})");

    /// <summary>The least share that is above chance.</summary>
    public static double Least(double chance) => chance + (Margin * (1 - chance));
}
