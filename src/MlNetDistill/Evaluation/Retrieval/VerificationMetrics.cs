namespace MlNetDistill.Evaluation;

/// <summary>The evaluation of a verification over pairs of rows.</summary>
public sealed record VerificationMetrics
{
    private const int MostLines = 20;

    /// <summary>Number of pairs of the same identity.</summary>
    public required long Positives { get; init; }

    /// <summary>Number of pairs of unlike identities.</summary>
    public required long Negatives { get; init; }

    /// <summary>Area under the receiver operating characteristic, in [0, 1]: the share of the pairs of pairs in which that of the same identity is closer, ties by half.</summary>
    public required double AreaUnderCurve { get; init; }

    /// <summary>The true accept rate for each of the options' false accept rates.</summary>
    public required IReadOnlyList<AcceptRate> AcceptRates { get; init; }

    /// <summary>The receiver operating characteristic from high thresholds to low ones: the points at which the true accept rate changes, at most 1,000 of them.</summary>
    public required IReadOnlyList<RatePoint> Curve { get; init; }

    /// <summary>
    /// The accuracy on each fold of given pairs, in [0, 1], with the threshold that is best on the other folds (LFW protocol); null where all pairs of rows are
    /// compared.
    /// </summary>
    public required IReadOnlyList<double>? FoldAccuracies { get; init; }

    /// <summary>Mean of <see cref="FoldAccuracies"/>; null without folds.</summary>
    public double? Accuracy => FoldAccuracies?.Average();

    /// <summary>Standard deviation of <see cref="FoldAccuracies"/>, divided by their number; null without folds.</summary>
    public double? AccuracyDeviation => FoldAccuracies is { } folds ? Math.Sqrt(folds.Select(fold => Math.Pow(fold - folds.Average(), 2)).Average()) : null;

    /// <summary>The true accept rate at one of the options' false accept rates.</summary>
    /// <param name="falseAcceptRate">The rate.</param>
    /// <exception cref="ArgumentException">It is not among the options' rates.</exception>
    public AcceptRate At(double falseAcceptRate) => AcceptRates.FirstOrDefault(rate => rate.FalseAcceptRate == falseAcceptRate) ?? throw new ArgumentException(
        FormattableString.Invariant($"FalseAcceptRates of the options has no {falseAcceptRate}. Add it, or ask for one of them."), nameof(falseAcceptRate));

    /// <summary>The figures, a line each.</summary>
    public override string ToString()
    {
        List<string> lines =
        [
            $"{Figures.Count(Positives, "pair")} of the same identity, {Figures.Count(Negatives)} of unlike ones",
            $"area under the curve {Figures.Number(AreaUnderCurve)}",
            .. AcceptRates.Take(MostLines).Select(rate => $"{rate}"),
        ];
        if (Accuracy is { } accuracy)
            lines.Add($"accuracy {Figures.Percent(accuracy)} ± {Figures.Percent(AccuracyDeviation!.Value)} over {Figures.Count(FoldAccuracies!.Count, "fold")}");
        return string.Join(Environment.NewLine, lines);
    }
}
