using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Methods;

/// <summary>
/// Selects the anchors of a route that RCO trains the student on, in the order of the route (Jin et al. 2019). The last anchor, the trained teacher, is always selected,
/// which is a choice of this library. Derive from it for a selection of your own.
/// </summary>
public abstract record AnchorSelection
{
    /// <summary>Every anchor of the route.</summary>
    public static AnchorSelection All() => new AllAnchors();

    /// <summary>
    /// Equal epoch intervals (RCO's EEI): the anchors of the epochs k, 2k, 3k, … and the last one. If the route was given as teachers, their positions in it, from 1,
    /// count as epochs. Epochs that the route did not record are skipped; if only the last anchor remains, this is logged.
    /// </summary>
    /// <param name="interval">k, at least 1.</param>
    public static AnchorSelection EqualInterval(int interval) => new EqualIntervalAnchors(interval);

    /// <summary>The anchors of these epochs, and the last one.</summary>
    /// <param name="epochs">Epochs of anchors (positions from 1 if the route was given as teachers), in increasing order.</param>
    public static AnchorSelection Epochs(params IReadOnlyList<int> epochs)
    {
        ArgumentNullException.ThrowIfNull(epochs);
        return new ListedAnchors([.. epochs]);
    }

    /// <summary>
    /// Greedy search. The first anchor is the route's first; after each anchor i, with the student trained on it, the divergences
    /// H(j) = mean KL(anchor j ‖ student) over the held-out rows are divided by a denominator, and <paramref name="rule"/> selects the next anchor by comparing the ratios
    /// with <paramref name="delta"/>. RCO's paper searches greedily by KL; its threshold and exact ratio are not known to us, so both are settings, and their defaults are
    /// our own.
    /// </summary>
    /// <param name="delta">Threshold δ of the ratio, above 1: the higher, the fewer anchors.</param>
    /// <param name="rule">How the next anchor is selected.</param>
    /// <param name="denominator">The denominator of the ratios.</param>
    public static AnchorSelection Greedy(
        double delta, GreedyRule rule = GreedyRule.FirstAbove, GreedyDenominator denominator = GreedyDenominator.Current) =>
        new GreedyAnchors(delta, rule, denominator);

    /// <summary>The kind of selection and its settings, in one line if they fit.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>The faults of these settings, each as one sentence.</summary>
    public virtual IEnumerable<string> Validate() => [];

    /// <summary>Whether it reads <see cref="MethodContext.HeldOutDivergence"/>, so that rows must be held out.</summary>
    public virtual bool NeedsHeldOutRows => false;

    /// <summary>
    /// The anchors to train on, as increasing indices into <see cref="MethodContext.Anchors"/>, of which the last is that of the last anchor. With
    /// <see cref="RcoSchedule.Restart"/>, the student is trained on each anchor before the next index is read, so an index may depend on the student; make such a choice
    /// in <see cref="MethodContext.Decide"/>.
    /// </summary>
    /// <remarks>Called once before any teacher is trained, with placeholder teachers and divergences that increase with every call, and once to train.</remarks>
    /// <param name="context">The anchors of the route, the number of epochs, and the divergence of the student from a teacher.</param>
    public abstract IEnumerable<int> Choose(MethodContext context);

    /// <summary>The selected anchors, after checks.</summary>
    /// <exception cref="InvalidOperationException">RCO cannot train on these anchors.</exception>
    internal IEnumerable<int> ChooseChecked(MethodContext context)
    {
        var (last, previous) = (context.Anchors.Count - 1, -1);
        foreach (var index in Choose(context) ?? throw CreateError("null instead of anchors"))
        {
            if (index < 0 || index > last)
                throw CreateError(Invariant($"the index {index}, but the route has the indices 0 to {last}"));
            if (index <= previous)
                throw CreateError(Invariant($"the index {index} after {previous}"));
            yield return previous = index;
        }

        if (previous < last)
            throw CreateError(previous < 0 ? "no anchor" : Invariant($"{previous} as its last index, but the last anchor of the route, {context.Anchors[last]}, has the index {last}"));
    }

    private InvalidOperationException CreateError(string found) => new(
        $"The anchor selection {this} gave {found}. RCO trains on anchors in the order of the route and ends with the last, the trained teacher: " +
        "return increasing indices into MethodContext.Anchors, the last of them Anchors.Count - 1.");
}

/// <summary>How greedy search selects the next anchor after anchor i.</summary>
public enum GreedyRule
{
    /// <summary>The first later anchor whose ratio exceeds δ; the last anchor if none does.</summary>
    FirstAbove,

    /// <summary>The anchor before the first whose ratio exceeds δ, at least the next one, or the last anchor if none does: about twice as many anchors.</summary>
    LastWithin,
}

/// <summary>What greedy search divides the divergences by.</summary>
public enum GreedyDenominator
{
    /// <summary>The divergence from the current anchor, H(i).</summary>
    Current,

    /// <summary>The divergence from the next anchor, H(i + 1).</summary>
    Next,
}

internal sealed record AllAnchors : AnchorSelection
{
    public override IEnumerable<int> Choose(MethodContext context) => Enumerable.Range(0, context.Anchors.Count);
}

internal sealed record EqualIntervalAnchors(int Interval) : AnchorSelection
{
    public override IEnumerable<string> Validate() => Faults.AtLeast(1, "The interval of anchors", Interval);

    public override IEnumerable<int> Choose(MethodContext context)
    {
        var last = context.Anchors.Count - 1;
        int[] chosen = [.. Enumerable.Range(0, last + 1).Where(i => i == last || context.Anchors[i].Epoch % Interval == 0)];
        // With the last anchor only, RCO is the same as its inner method.
        if (chosen.Length == 1 && last > 0)
        {
            context.Note(
                $"Of the route's epochs {string.Join(", ", context.Anchors.Select(a => a.Epoch))} only the last is used, because no other is a multiple of {Interval}. " +
                "Choose a multiple of the epochs between checkpoints, or AnchorSelection.Epochs.");
        }

        return chosen;
    }
}

internal sealed record ListedAnchors(IReadOnlyList<int> Wanted) : AnchorSelection
{
    public override IEnumerable<string> Validate() => Faults.Unless(
        Wanted.Count > 0 && Wanted.All(e => e >= 1) && Wanted.Zip(Wanted.Skip(1)).All(pair => pair.First < pair.Second),
        $"The epochs of anchors must be at least 1 and in increasing order; were [{NumberText.Join(Wanted)}].");

    public override IEnumerable<int> Choose(MethodContext context)
    {
        var epochs = context.Anchors.Select(a => a.Epoch).ToList();
        var missing = Wanted.Except(epochs).ToList();
        if (missing.Count > 0)
        {
            throw new InvalidOperationException(
                $"The route has no anchor for epoch {string.Join(", ", missing)}; it has epochs {string.Join(", ", epochs)}.");
        }

        return Wanted.Append(epochs[^1]).Distinct().Select(epoch => epochs.IndexOf(epoch));
    }
}

internal sealed record GreedyAnchors(double Delta, GreedyRule Rule, GreedyDenominator Denominator) : AnchorSelection
{
    public override bool NeedsHeldOutRows => true;

    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Delta is > 1 and < double.PositiveInfinity, $"The delta of greedy anchor selection must be above 1; was {Delta}."),
        .. Faults.Defined("The rule of greedy anchor selection", Rule),
        .. Faults.Defined("The denominator of greedy anchor selection", Denominator),
    ];

    public override IEnumerable<int> Choose(MethodContext context)
    {
        var last = context.Anchors.Count - 1;
        for (var at = 0; ; at = context.Decide($"the anchor after {context.Anchors[at].Label}", () => Next(at, last, context)))
        {
            yield return at;
            if (at == last)
                yield break;
        }
    }

    private int Next(int at, int last, MethodContext context)
    {
        var divergence = context.HeldOutDivergence ?? throw new InvalidOperationException("Greedy anchor selection needs held-out rows.");
        double To(int anchor) => divergence(context.Anchors[anchor].Teacher);
        var denominator = To(Denominator == GreedyDenominator.Current ? at : at + 1);
        var ratios = new List<string>();
        var next = last;
        for (var j = at + 1; j <= last; j++)
        {
            var ratio = To(j) / denominator;
            ratios.Add(Invariant($"{context.Anchors[j].Label} {ratio:0.###}"));
            if (!(ratio > Delta))
                continue;
            next = Rule == GreedyRule.FirstAbove ? j : Math.Max(at + 1, j - 1);
            break;
        }

        context.Note(Invariant(
            $"Greedy anchor selection after {context.Anchors[at].Label}: divergence ratios {string.Join(", ", ratios)} (delta {Delta:0.###}); ") +
            $"next is {context.Anchors[next].Label}.");
        return next;
    }
}
