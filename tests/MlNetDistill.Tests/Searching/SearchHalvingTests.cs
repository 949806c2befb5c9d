using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

public sealed class SearchHalvingTests
{
    // 240 rows, of which 36 choose and 36 judge; batches of 16.
    private const int StepsPerEpoch = (168 + 15) / 16;
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public SearchHalvingTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void Of_nine_candidates_three_are_trained_three_times_as_long_and_two_in_full()
    {
        var result = Search(Searches.Quick(9), epochs: 9);
        var distilled = result.Leaderboard.Where(trial => !trial.IsAlone).ToList();
        Assert.That(distilled.Select(trial => string.Join(' ', trial.Rungs.Select(rung => rung.Epochs))), Is.EqualTo(new[] { "1 3 9", "1 3 9", "1 3", "1", "1", "1", "1", "1", "1" }));
        Assert.That(result.Leaderboard.Single(trial => trial.IsAlone).Rungs.Select(rung => (rung.Epochs, rung.Steps)), Is.EqualTo(new[] { (9, 9L * StepsPerEpoch) }));
        Assert.That(result.TrainingSteps, Is.EqualTo(((9 * 1) + (3 * 3) + (2 * 9) + 9) * StepsPerEpoch));
        Assert.That(result.StepsOfOneFit, Is.EqualTo(9 * StepsPerEpoch));
    }

    [Test]
    public void Those_that_stay_are_the_better_ones()
    {
        var trials = Search(Searches.Quick(9), epochs: 9).Leaderboard.Where(trial => !trial.IsAlone).ToList();
        for (var rung = 0; rung < 2; rung++)
        {
            var (stayed, left) = (trials.Where(t => t.Rungs.Count > rung + 1), trials.Where(t => t.Rungs.Count == rung + 1));
            Assert.That(stayed.Min(t => t.Rungs[rung].Accuracy), Is.GreaterThanOrEqualTo(left.Max(t => t.Rungs[rung].Accuracy)));
        }
    }

    [TestCase(30, 10.0)]
    [TestCase(4, 10.0)]
    [TestCase(1, 10.0)]
    [TestCase(6, 2.0)]
    [TestCase(6, 3.5)]
    public void The_steps_of_a_search_of_the_default_space_keep_the_budget(int epochs, double budget)
    {
        var result = Search(new SearchOptions { Budget = budget }, epochs);
        Assert.That(result.TrainingSteps, Is.LessThanOrEqualTo(budget * result.StepsOfOneFit));
        Assert.That(result.TrainingSteps, Is.EqualTo(result.Leaderboard.Sum(trial => trial.Rungs.Sum(rung => rung.Steps))));
        Assert.That(new[] { result.Best, result.BestAlone }.Select(trial => trial.Last!.Epochs), Is.All.EqualTo(epochs));
    }

    [Test]
    public void The_default_space_is_the_trainers_own_settings_KD_and_DIST_at_three_rates_beside_the_student_alone()
    {
        var result = Search(new SearchOptions { Trials = 1000, Budget = 1000 }, epochs: 1);
        var (distilled, alone) = (result.Leaderboard.Where(t => !t.IsAlone).ToList(), result.Leaderboard.Where(t => t.IsAlone).ToList());
        DistillationMethod[] methods = [DistillationMethod.Kd(), .. SearchSpace.Kd([1, 2, 4], [0.5, 0.9, 1]), DistillationMethod.Dist()];
        Assert.That(distilled.Select(t => t.Method).Distinct(), Is.EquivalentTo(methods.Distinct()));
        Assert.That(distilled, Has.Count.EqualTo(3 * methods.Distinct().Count()));
        Assert.That(alone.Select(t => t.LearningRate).Order(), Is.EqualTo(new[] { 0.03 / 3, 0.03, 0.03 * 3 }).Within(1e-9));
        Assert.That(distilled.Single(t => t.Number == 1), Has.Property("Method").EqualTo(DistillationMethod.Kd()).And.Property("LearningRate").EqualTo(0.03));
    }

    [Test]
    public void A_sample_of_a_large_space_has_each_value_about_equally_often()
    {
        var space = new SearchSpace { Methods = Searches.Methods(6), LearningRates = [0.01, 0.02, 0.03], Students = [NetworkSpec.Mlp(4), NetworkSpec.Mlp(8)] };
        var trials = Search(new SearchOptions { Space = space, Trials = 12, Budget = 100 }, epochs: 1).Leaderboard.Where(t => !t.IsAlone).ToList();
        Assert.That(trials.DistinctBy(t => (t.Method, t.LearningRate, t.Student)).Count(), Is.EqualTo(12));
        Assert.That(trials.CountBy(t => t.Method).Select(c => c.Value), Is.All.InRange(1, 3));
        Assert.That(trials.CountBy(t => t.LearningRate).Select(c => c.Value), Is.All.InRange(3, 5));
        Assert.That(trials.CountBy(t => t.Student).Select(c => c.Value), Is.All.InRange(5, 7));
    }

    private SearchResult Search(SearchOptions options, int epochs) => _context.Trainer(_context.Student(_view) with { Epochs = epochs }).Search(_view, options);
}
