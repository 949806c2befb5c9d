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
    private readonly Dictionary<int, (DistillationOptions Options, Dictionary<int, TrialResult> Results)> _candidates = [];
    private readonly Dictionary<int, SearchTrial> _states = [];

    /// <summary>All candidates that were trained: those trained longest first, in each group the best first.</summary>
    public IReadOnlyList<SearchTrial> Leaderboard =>
        [.. _states.Values.GroupBy(trial => trial.Rungs.Count).OrderByDescending(group => group.Key).SelectMany(group => ranking.Order([.. group]))];

    /// <summary>Runs all trainings.</summary>
    /// <param name="candidates">At least as many candidates as the first rung has.</param>
    /// <param name="firstNumber">The number of the first candidate.</param>
    /// <param name="own">The trainer's own settings. If the first candidate has them, it is trained in full, so that nothing else is taken without being compared with it.</param>
    /// <returns>The best candidate of those that were trained in full.</returns>
    /// <exception cref="InvalidOperationException">All of the last trainings failed.</exception>
    public SearchTrial Run(IReadOnlyList<DistillationOptions> candidates, int firstNumber, DistillationOptions own)
    {
        IReadOnlyList<SearchTrial> racing = [.. candidates.Take(plan.Rungs[0].Candidates).Select((options, at) => Begin(options, firstNumber + at))];
        for (var rung = 0; rung < plan.Rungs.Count; rung++)
        {
            var (count, epochs) = plan.Rungs[rung];
            var staying = Choose(racing, count, IsOwn(candidates[0], own) ? firstNumber : null);
            Forget(racing.Except(staying));
            racing = ranking.Order([.. staying.Select(trial => Train(trial, rung, epochs))]);
        }

        racing = ranking.Order([.. racing.Select(ChooseLength)]);
        return racing[0].Failure is not { } failure ? racing[0] : throw new InvalidOperationException(
            $"No candidate could be trained in full. The last failure, of {racing[0].Setting}: {failure} Lower the rates in SearchSpace.LearningRates.");
    }

    /// <summary>The options of a candidate and its chosen training.</summary>
    public (DistillationOptions Options, TrialResult Result) Find(SearchTrial trial)
    {
        var (options, results) = _candidates[trial.Number];
        return (options with { Epochs = trial.Chosen!.Epochs }, results[trial.Chosen.Epochs]);
    }

    /// <summary>Adds what a candidate costs.</summary>
    public SearchTrial AddCost(SearchTrial trial, (long ZipBytes, double MicrosecondsPerRow) cost) =>
        _states[trial.Number] = trial with { ZipBytes = cost.ZipBytes, MicrosecondsPerRow = cost.MicrosecondsPerRow };

    private SearchTrial Begin(DistillationOptions options, int number)
    {
        _candidates[number] = (options, []);
        return new SearchTrial
        {
            Number = number,
            Method = options.Method,
            LearningRate = options.Optimizer.LearningRate,
            Student = options.Student,
            TransferRows = options.TransferRows,
            Parameters = trials.ParametersOf(options.Student),
        };
    }

    private SearchTrial Train(SearchTrial trial, int rung, int epochs)
    {
        trials.Options.CancellationToken.ThrowIfCancellationRequested();
        var options = _candidates[trial.Number].Options with { Epochs = epochs };
        var state = watch.Begin(trial, rung + 1, plan.Rungs.Count, epochs, () => Leaderboard);
        var setting = KeyOf(trial, epochs);
        var result = store.Find(setting);
        if (result is null)
            store.Add(result = trials.Train(options with { Progress = watch.Epochs(state) }, setting));
        _candidates[trial.Number].Results[epochs] = result;
        trial = _states[trial.Number] = trial with { Rungs = result.Rung is { } done ? [.. trial.Rungs, done] : trial.Rungs, Failure = result.Failure };
        watch.End(state with { Trial = trial }, result);
        return trial;
    }

    /// <summary>Those that are trained on: the best, and the candidate that always stays in place of the last of them.</summary>
    private static List<SearchTrial> Choose(IReadOnlyList<SearchTrial> racing, int count, int? stays)
    {
        var chosen = racing.Take(count).ToList();
        if (count > 1 && racing.Skip(count).FirstOrDefault(trial => trial.Number == stays && trial.Failure is null) is { } own)
            chosen[^1] = own;
        return chosen;
    }

    private static bool IsOwn(DistillationOptions candidate, DistillationOptions own) =>
        candidate.Method == own.Method && candidate.Student == own.Student && Equals(candidate.TransferRows, own.TransferRows) && candidate.Optimizer == own.Optimizer;

    /// <summary>Weights are kept for those alone that may be the result.</summary>
    private void Forget(IEnumerable<SearchTrial> leaving)
    {
        foreach (var trial in leaving)
            _candidates[trial.Number].Results.Clear();
    }

    /// <summary>A shorter training may be better than the full one; among equals the longest is chosen.</summary>
    private SearchTrial ChooseLength(SearchTrial trial) => _states[trial.Number] = trial.Failure is not null ? trial : trial with { Chosen = ranking.ChooseBest(trial.Rungs) };

    /// <summary>What tells a training from all others of the search. Methods and networks of the application may have the same text, and are told apart by their order.</summary>
    private string KeyOf(SearchTrial trial, int epochs)
    {
        var text = TextOf(_candidates[trial.Number].Options);
        var sameText = _candidates.Count(c => c.Key < trial.Number && TextOf(c.Value.Options) == text);
        return FormattableString.Invariant($"{text}, {epochs} epochs{(sameText == 0 ? "" : $", number {sameText + 1} of this name")}");
    }

    // A name of a network, and a text that is broken into lines, may leave settings out.
    private static string TextOf(DistillationOptions options) =>
        $"{SettingText.DescribeValue(options.Method, typeof(object))}, {SettingText.DescribeValue(options.Optimizer, typeof(object))}, " +
        $"{SettingText.DescribeValue(options.TransferRows, typeof(TransferRows))}, {options.Student} {options.Student.ToJson()}";
}
