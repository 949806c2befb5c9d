using MlNetDistill.Core;
using MlNetDistill.Fitting;

namespace MlNetDistill.Searching;

/// <summary>One race of candidates by successive halving.</summary>
/// <param name="plan">How many are trained how long.</param>
/// <param name="trials">Trains them.</param>
/// <param name="ranking">Orders them.</param>
/// <param name="store">Keeps finished trainings.</param>
/// <param name="watch">Reports to the user.</param>
internal sealed class Bracket(HalvingPlan plan, FitTrials trials, TrialRanking ranking, TrialStore store, SearchWatch watch)
{
    private readonly Dictionary<int, (DistillationOptions Options, TrialResult? Result)> _candidates = [];
    private readonly Dictionary<int, SearchTrial> _states = [];

    /// <summary>All candidates that were trained: those trained longest first, in each group the best first.</summary>
    public IReadOnlyList<SearchTrial> Leaderboard =>
        [.. _states.Values.GroupBy(trial => trial.Rungs.Count).OrderByDescending(group => group.Key).SelectMany(group => ranking.Order([.. group]))];

    /// <summary>Runs all trainings.</summary>
    /// <param name="candidates">At least as many candidates as the first rung has.</param>
    /// <param name="firstNumber">The number of the first candidate.</param>
    /// <returns>The best candidate of those that were trained in full.</returns>
    /// <exception cref="InvalidOperationException">All of the last trainings failed.</exception>
    public SearchTrial Run(IReadOnlyList<DistillationOptions> candidates, int firstNumber)
    {
        IReadOnlyList<SearchTrial> racing = [.. candidates.Take(plan.Rungs[0].Candidates).Select((options, at) => Begin(options, firstNumber + at))];
        for (var rung = 0; rung < plan.Rungs.Count; rung++)
        {
            var (count, epochs) = plan.Rungs[rung];
            racing = ranking.Order([.. racing.Take(count).Select(trial => Train(trial, rung, epochs))]);
        }

        return racing[0].Failure is not { } failure ? racing[0] : throw new InvalidOperationException(
            $"No candidate could be trained in full. The last failure, of {racing[0].Setting}: {failure} Lower the rates in SearchSpace.LearningRates.");
    }

    /// <summary>The options of a candidate and its full training.</summary>
    public (DistillationOptions Options, TrialResult Result) Find(SearchTrial trial) => (_candidates[trial.Number].Options, _candidates[trial.Number].Result!);

    /// <summary>Adds what a candidate costs.</summary>
    public SearchTrial AddCost(SearchTrial trial, (long ZipBytes, double MicrosecondsPerRow) cost) =>
        _states[trial.Number] = trial with { ZipBytes = cost.ZipBytes, MicrosecondsPerRow = cost.MicrosecondsPerRow };

    private SearchTrial Begin(DistillationOptions options, int number)
    {
        _candidates[number] = (options, null);
        return new SearchTrial
        {
            Number = number,
            Method = options.Method,
            LearningRate = options.Optimizer.LearningRate,
            Student = options.Student,
            Parameters = trials.ParametersOf(options.Student),
        };
    }

    private SearchTrial Train(SearchTrial trial, int rung, int epochs)
    {
        trials.Options.CancellationToken.ThrowIfCancellationRequested();
        var options = _candidates[trial.Number].Options with { Epochs = epochs };
        var state = watch.Begin(trial, rung + 1, plan.Rungs.Count, epochs, () => Leaderboard);
        var setting = KeyOf(trial, epochs);
        var keepWeights = epochs == plan.Rungs[^1].Epochs;
        var result = store.Find(setting, keepWeights);
        if (result is null)
            store.Add(result = trials.Train(options with { Progress = watch.Epochs(state) }, setting, keepWeights));
        _candidates[trial.Number] = (options, result);
        trial = _states[trial.Number] = trial with { Rungs = result.Rung is { } done ? [.. trial.Rungs, done] : trial.Rungs, Failure = result.Failure };
        watch.End(state with { Trial = trial }, result);
        return trial;
    }

    /// <summary>What tells a training from all others of the search. Methods of the application may have the same text, and are told apart by their order.</summary>
    private string KeyOf(SearchTrial trial, int epochs)
    {
        var sameText = _candidates.Count(c => c.Key < trial.Number && Equals(c.Value.Options.Student, trial.Student) && TextOf(c.Value.Options) == TextOf(_candidates[trial.Number].Options));
        return FormattableString.Invariant($"{TextOf(_candidates[trial.Number].Options)}, {trial.Student}, {epochs} epochs{(sameText == 0 ? "" : $", number {sameText + 1} of this name")}");
    }

    private static string TextOf(DistillationOptions options) =>
        $"{SettingText.DescribeValue(options.Method, typeof(object))}, {SettingText.DescribeValue(options.Optimizer, typeof(object))}";
}
