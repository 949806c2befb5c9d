namespace MlNetDistill.Reading;

/// <summary>Creates the rule of some settings.</summary>
internal static class MixRules
{
    /// <summary>Does what all rows share, such as finding neighbours, and returns a factory of rules; each reader needs a rule of its own.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="rows">The rows that are mixed.</param>
    /// <param name="used">Those that rows are made from.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="cancellation">Stops the search for neighbours.</param>
    public static Func<MixRule> Prepare(MadeUpRows settings, ParentRows rows, IReadOnlyList<int> used, int seed, CancellationToken cancellation)
    {
        switch (settings)
        {
            case MungeRows munge:
                var nearest = Neighbours.Find(rows, used, 1, seed, cancellation);
                return () => new MungeRule(munge, nearest);
            case InterpolatedRows interpolated:
                var several = Neighbours.Find(rows, used, interpolated.Neighbours, seed, cancellation);
                return () => new InterpolateRule(rows, several);
            case SpungeRows spunge:
                return () => new SpungeRule(spunge, rows);
            case MarginalSwapRows swap:
                return () => new MarginalSwapRule(swap, rows);
            default:
                throw new NotSupportedException($"{settings} has no rule.");
        }
    }
}
