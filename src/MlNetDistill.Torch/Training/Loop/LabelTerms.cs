using MlNetDistill.Losses;
using MlNetDistill.Methods;

namespace MlNetDistill.Training;

/// <summary>Removes the terms that read labels from a stage if no training row has a label: they would be 0 in every step.</summary>
internal static class LabelTerms
{
    /// <summary>The stage without the terms that read labels.</summary>
    /// <exception cref="InvalidOperationException">No term with a weight remains.</exception>
    public static Stage RemoveFrom(Stage stage)
    {
        LossTerm[] kept = [.. stage.Loss.Terms.Where(term => !term.Loss.NeedsLabels)];
        if (!kept.Any(term => term.Weight > 0))
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' learns from labels alone ({Names(stage.Loss.Terms.Where(term => term.Weight > 0))}), and no row trained on has one. " +
                "Use a method whose every stage learns from the teacher, for example DistillationMethod.Kd(alpha: 1), or Sskd(headLoss: new KdLoss(4)); or train on labelled rows.");
        }

        return stage with { Loss = kept.Length == stage.Loss.Terms.Count ? stage.Loss : new WeightedSum(kept), HasNoLabels = true };
    }

    /// <summary>A warning that names the removed terms that have a weight; null if there are none.</summary>
    public static string? Warning(Stage stage)
    {
        var names = Names(stage.Loss.Terms.Where(term => term.Loss.NeedsLabels && term.Weight > 0));
        return names.Length == 0 ? null : $"No row trained on has a label that counts, so terms over labels are left out: {names}.";
    }

    private static string Names(IEnumerable<LossTerm> terms) => string.Join(
        ", ", terms.Select(term => FormattableString.Invariant($"{term.Loss.Name} (weight {term.Weight:0.###})")).Distinct());
}
