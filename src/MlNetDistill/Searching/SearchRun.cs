using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Fitting;
using MlNetDistill.Methods;
using static System.FormattableString;

namespace MlNetDistill.Searching;

/// <summary>A search, from candidates to the result.</summary>
/// <param name="search">Its options.</param>
/// <param name="given">The trainer's options as they were given.</param>
/// <param name="candidates">The candidates.</param>
/// <param name="trials">Trains them.</param>
internal sealed class SearchRun(SearchOptions search, DistillationOptions given, SearchCandidates candidates, FitTrials trials)
{
    /// <summary>Of the budget: choosing a learning rate for the student alone takes fewer trainings than choosing all that a distilled one has.</summary>
    private const double ShareAlone = 0.4;

    /// <summary>Distilled students that are trained in full: the trainer's own settings are among them.</summary>
    private const int Finalists = 3;

    private const int FinalistsAlone = 2;

    /// <summary>One distilled student and one alone.</summary>
    private const double LeastBudget = 2;

    /// <summary>
    /// A full training is often as long as distilling needs, on which labels alone are learnt by heart: so the student alone has a ninth and a third of it too, even with few
    /// rates. Distilled students begin with the longest trainings that the budget allows, because slow ones would be last after a short one.
    /// </summary>
    private const int FewestRungsAlone = 3;

    private readonly TrialStore _store = new(search.Folder, search.Folder is null ? "" : CreateFingerprint(trials));
    private readonly TrialRanking _ranking = new(search.Goal, trials.TeacherAccuracy);

    public SearchResult Run()
    {
        var full = trials.Options.Epochs;
        var (distilledPlan, alonePlan) = CreatePlans(search.TimeLimit is { } limit ? FindBudget(limit) : search.Budget);
        var watch = new SearchWatch(search.Progress, distilledPlan.TotalEpochs + alonePlan.TotalEpochs, trials.Warn);
        var distilled = new Bracket(distilledPlan, trials, _ranking, _store, watch);
        var best = distilled.Run(candidates.Distilled, 1, trials.Options with { Method = candidates.Own });
        var alone = new Bracket(alonePlan, trials, _ranking, _store, watch);
        var bestAlone = alone.Run(
            candidates.Alone(trials.Options, best.Student), 1 + distilledPlan.Rungs[0].Candidates,
            (trials.Options with { Method = DistillationMethod.LabelsOnly(), Student = best.Student }).WithoutUnusedTeacher());
        var (model, aloneModel) = (Finish(distilled, best), Finish(alone, bestAlone));
        var leaderboard = distilled.Leaderboard.Concat(alone.Leaderboard).ToList();
        var metrics = trials.Judge(model);
        var aloneMetrics = trials.Judge(aloneModel);
        var difference = metrics.DifferenceFrom(aloneMetrics);
        var gain = search.Goal.Measure == SearchMeasure.Accuracy ? difference.Accuracy!.Value : difference.Agreement;
        var prefersAlone = gain.Upper < 0;
        var chosen = prefersAlone ? bestAlone : best;
        return new SearchResult
        {
            Goal = search.Goal,
            Leaderboard = leaderboard,
            Best = leaderboard.Single(trial => trial.Number == best.Number),
            BestAlone = leaderboard.Single(trial => trial.Number == bestAlone.Number),
            PrefersAlone = prefersAlone,
            Options = CreateOptions(chosen),
            Model = prefersAlone ? aloneModel : model,
            Alone = aloneModel,
            Metrics = metrics,
            AloneMetrics = aloneMetrics,
            Gain = gain,
            AccuracyGain = difference.Accuracy!.Value,
            AgreementGain = difference.Agreement,
            TeacherAccuracy = trials.TeacherAccuracy,
            TeacherKnowsRows = trials.TeacherKnowsRows,
            ChoosingRows = trials.ChoosingRows,
            TrainingSteps = watch.Steps,
            StepsOfOneFit = (long)full * trials.StepsPerEpoch,
            Elapsed = watch.Elapsed,
        };
    }

    /// <summary>The plans of the distilled students and of the student alone, which together keep the budget.</summary>
    private (HalvingPlan Distilled, HalvingPlan Alone) CreatePlans(double budget)
    {
        var full = trials.Options.Epochs;
        var epochs = (Math.Min(full, (int)Math.Ceiling((double)search.MinimumSteps / trials.StepsPerEpoch)), full);
        var alone = HalvingPlan.Create(candidates.Alone(trials.Options, given.Student).Count, FinalistsAlone, FewestRungsAlone, epochs, Math.Max(full, ShareAlone * budget * full));
        return (HalvingPlan.Create(candidates.Distilled.Count, Finalists, 1, epochs, (budget * full) - alone.TotalEpochs), alone);
    }

    /// <summary>The budget that a time limit leaves: the shortest training is timed.</summary>
    private double FindBudget(TimeSpan limit)
    {
        var key = Invariant($"{limit} of {search with { Progress = null }}");
        if (_store.FindBudget(key) is { } known && known >= LeastBudget && known <= search.Budget)
            return known;
        var (full, epochs) = (trials.Options.Epochs, CreatePlans(search.Budget).Distilled.Rungs[0].Epochs);
        var clock = Stopwatch.StartNew();
        _ = trials.Train(candidates.Distilled[0] with { Epochs = epochs, Progress = null }, "timing");
        var fullTime = clock.Elapsed * full / epochs;
        var budget = Math.Min(search.Budget, (limit - clock.Elapsed) / fullTime);
        if (budget < LeastBudget)
        {
            throw new InvalidOperationException(
                $"TimeLimit {NumberText.Duration(limit)} is too short for a search: one distilled student and one alone are trained in full, which takes about " +
                $"{NumberText.Duration(2 * fullTime)}. Give more time, or lower the trainer's Epochs.");
        }

        _store.AddBudget(key, budget);
        return budget;
    }

    /// <summary>The trainer's options with the settings of a candidate, and as many epochs as make its steps.</summary>
    private DistillationOptions CreateOptions(SearchTrial chosen)
    {
        var options = (given with
        {
            Method = chosen.Method,
            Student = chosen.Student,
            Optimizer = given.Optimizer with { LearningRate = chosen.LearningRate },
            TransferRows = chosen.TransferRows,
            // As it was chosen for the device.
            Precision = trials.Options.Precision,
        }).WithoutUnusedTeacher();
        var epochs = trials.EpochsOfFit(options, chosen.Chosen!.Epochs);
        return epochs == trials.Options.Epochs ? options : options with { Epochs = epochs };
    }

    /// <summary>Exports the best student of a bracket, and measures all that were trained in full.</summary>
    private DistillationTransformer Finish(Bracket bracket, SearchTrial best)
    {
        DistillationTransformer? model = null;
        foreach (var trial in bracket.Leaderboard.Where(trial => trial.Chosen is not null))
        {
            var (options, result) = bracket.Find(trial);
            var exported = Export(options, result);
            bracket.AddCost(trial, trials.MeasureCost(exported));
            if (trial.Number == best.Number)
                model = exported;
        }

        return model!;
    }

    private DistillationTransformer Export(DistillationOptions options, TrialResult result)
    {
        try
        {
            return trials.Export(options, result);
        }
        catch (InvalidDataException e)
        {
            throw _store.CreateWeightsError(result, e);
        }
    }

    /// <summary>A hash of the rows, the options that candidates share, and the code.</summary>
    private static string CreateFingerprint(FitTrials trials) => Fingerprint.Compute(
    [
        trials.Hash(),
        Invariant($"{trials.StepsPerEpoch} steps"),
        trials.Options.InitialWeights?.Hash ?? "",
        .. trials.Options.DescribeSettings()
            .Where(setting => setting.Name is not (nameof(DistillationOptions.Method) or nameof(DistillationOptions.Student) or nameof(DistillationOptions.TransferRows) or nameof(DistillationOptions.TeacherCache)))
            .Select(setting => $"{setting.Name} {setting.Value}"),
        $"{typeof(DistillationOptions).Module.ModuleVersionId} {typeof(Training.TrainingProgress).Module.ModuleVersionId}",
    ]);
}
