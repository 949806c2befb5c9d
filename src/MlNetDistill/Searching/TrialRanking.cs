using MlNetDistill.Networks;

namespace MlNetDistill.Searching;

/// <summary>Orders candidates that were trained equally long, and at the end the best trainings of the last ones, by the goal of the search.</summary>
/// <param name="goal">The goal.</param>
/// <param name="teacherAccuracy">The teacher's accuracy on the rows by which candidates are chosen.</param>
internal sealed class TrialRanking(SearchGoal goal, double teacherAccuracy)
{
    /// <summary>The candidates, the best first. Failed ones are last; among equals, the smaller and then the earlier is better.</summary>
    public IReadOnlyList<SearchTrial> Order(IReadOnlyList<SearchTrial> trials)
    {
        var byQuality = trials.OrderBy(trial => trial.Failure is null ? 0 : 1).ThenByDescending(trial => Quality(trial.Ranked))
            .ThenBy(trial => trial.Parameters).ThenBy(trial => Loss(trial.Ranked)).ThenBy(trial => trial.Number).ToList();
        return goal.Keeps is null ? byQuality : OrderBySize(byQuality);
    }

    /// <summary>The best of the trainings of a candidate; among equals the longest.</summary>
    public SearchRung ChooseBest(IReadOnlyList<SearchRung> rungs) => rungs.Reverse().MaxBy(rung => Quality(rung))!;

    /// <summary>Whether a candidate keeps what the goal asks for; true if the goal asks for none.</summary>
    public bool Keeps(SearchTrial trial) => trial.Failure is null && Quality(trial.Ranked) >= (goal.Keeps ?? 0) * (goal.Measure == SearchMeasure.Accuracy ? teacherAccuracy : 1);

    /// <summary>
    /// First the best of the smallest size that keeps enough, then those of smaller sizes, which longer training may bring there, from large to small; then the second of
    /// each size, and so on. Larger sizes are of no use any more. If no size keeps enough, all are in the race, in the order of their best.
    /// </summary>
    private List<SearchTrial> OrderBySize(List<SearchTrial> byQuality)
    {
        var keeping = byQuality.Where(Keeps).Select(trial => (long?)trial.Parameters).Min();
        var sizes = byQuality.GroupBy(trial => trial.Student).ToList();
        var racing = keeping is { } most ? sizes.Where(size => Parameters(size) <= most).OrderByDescending(Parameters).ToList() : sizes;
        var rounds = racing.SelectMany((size, at) => size.Select((trial, round) => (trial, round, at)))
            .OrderBy(t => t.trial.Failure is null ? 0 : 1).ThenBy(t => t.round).ThenBy(t => t.at).Select(t => t.trial).ToList();
        return [.. rounds, .. byQuality.Except(rounds)];

        static long Parameters(IGrouping<NetworkSpec, SearchTrial> size) => size.First().Parameters;
    }

    private double Quality(SearchRung? rung) => rung is null ? double.NegativeInfinity : goal.Measure == SearchMeasure.Accuracy ? rung.Accuracy : rung.Agreement;

    private double Loss(SearchRung? rung) => rung is null ? double.PositiveInfinity : goal.Measure == SearchMeasure.Accuracy ? rung.Loss : rung.TeacherLoss;
}
