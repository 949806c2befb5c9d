using CompareMethods.Data;
using CompareMethods.Training;
using static System.FormattableString;

namespace CompareMethods.Report;

/// <summary>The results in sentences.</summary>
internal static class Conclusions
{
    /// <summary>The rules of the comparison, with their exceptions.</summary>
    public static IReadOnlyList<string> Rules(Workload work, IReadOnlyList<Outcome> outcomes) =>
    [
        $"Every student has {work.Epochs} epochs over all training rows; with n anchors, RCO gives each a schedule of {work.Epochs}/n epochs of its own.",
        .. outcomes.Any(o => o.IsLonger)
            ? [$"The two longer ones have {outcomes.Max(o => o.Setup.Epochs)}: RCO with {work.Epochs} for each anchor, and KD in a single schedule."]
            : Array.Empty<string>(),
        work.Tries == 1
            ? "A quick run does not search: each method has its first setting."
            : Invariant($"Each method chose among {work.Tries} settings: one seed, {work.Epochs} epochs, ") +
              Invariant($"judged by accuracy on {100 * ModelTrainer.HeldOut:0} % of the training rows held out; never by test rows. ") +
              "The student alone chose among learning rates, and all methods use its choice; SimKD has no settings and tries half and twice of it too; RCO has KD's chosen loss, RCO×DIST DIST's. " +
              "With rows held out, RCO goes from anchor to anchor with its best epoch, which the measured students, without held-out rows, cannot.",
        "The teacher was trained once, on all training rows: it has seen the held-out ones. One teacher, so the spread is that of students alone.",
    ];

    /// <summary>The time of a training step of each method divided by KD's; of several stages the mean over their epochs.</summary>
    public static IEnumerable<(string Method, double Cost)> StepCosts(IReadOnlyList<Outcome> outcomes)
    {
        var kd = Named(outcomes, Candidates.Kd);
        return outcomes.Where(o => !o.IsLonger).Select(o => (o.Setup.Name, o.SecondsARow / kd.SecondsARow));
    }

    /// <summary>Which methods are better than KD and the student alone, and which are not.</summary>
    public static IReadOnlyList<string> Verdicts(IReadOnlyList<Outcome> outcomes)
    {
        var (alone, kd) = (Named(outcomes, Candidates.Alone), Named(outcomes, Candidates.Kd));
        return
        [
            Verdict(kd, alone, "the student alone"),
            .. outcomes.Where(o => !o.IsLonger && o != alone && o != kd).Select(o => Verdict(o, kd, "KD at equal budget")),
            .. outcomes.Where(o => !o.IsLonger && o != alone && o != kd).Select(o => Verdict(o, alone, "the student alone")),
            .. outcomes.Any(o => o.IsLonger)
                ? [Verdict(Named(outcomes, Comparison.LongerRco), Named(outcomes, Comparison.LongerKd), "KD of as many epochs")]
                : Array.Empty<string>(),
        ];
    }

    private static string Verdict(Outcome one, Outcome other, string otherName)
    {
        var difference = one.Accuracy.Mean - other.Accuracy.Mean;
        var points = Invariant($"{difference:+0.00;-0.00;0.00} points of accuracy");
        if (one.Runs.Count == 1)
            return $"{one.Setup.Name} against {otherName}: {points}; one seed cannot tell whether that means anything.";
        var pooled = Spread.Pooled(one.Accuracy, other.Accuracy);
        var figures = $"{points}, pooled sd {pooled.ToString("0.00")}, {one.Runs.Count} seeds";
        // A difference within the spread may have the other sign with other seeds.
        return difference > pooled
            ? $"{one.Setup.Name} beats {otherName}: {figures}."
            : $"{one.Setup.Name} does not beat {otherName}: {figures}{(difference > 0 ? "; ahead, but by no more than the spread" : "")}.";
    }

    private static Outcome Named(IReadOnlyList<Outcome> outcomes, string name) => outcomes.Single(o => o.Setup.Name == name);
}
