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
    public void Of_twelve_candidates_four_are_trained_three_times_as_long_and_three_in_full()
    {
        var result = Search(Searches.Quick(12), epochs: 9);
        var distilled = result.Leaderboard.Where(trial => !trial.IsAlone).ToList();
        Assert.That(distilled.Select(trial => string.Join(' ', trial.Rungs.Select(rung => rung.Epochs))), Is.EqualTo(
            (string[])["1 3 9", "1 3 9", "1 3 9", "1 3", .. Enumerable.Repeat("1", 8)]));
        Assert.That(result.Leaderboard.Single(trial => trial.IsAlone).Rungs.Select(rung => (rung.Epochs, rung.Steps)), Is.EqualTo(
            new[] { (1, 1L * StepsPerEpoch), (3, 3L * StepsPerEpoch), (9, 9L * StepsPerEpoch) }), "for the student alone too, a shorter training may be the better one");
        Assert.That(result.TrainingSteps, Is.EqualTo(((12 * 1) + (4 * 3) + (3 * 9) + 1 + 3 + 9) * StepsPerEpoch));
        Assert.That(result.StepsOfOneFit, Is.EqualTo(9 * StepsPerEpoch));
    }

    [Test]
    public void Those_that_stay_are_the_better_ones()
    {
        var trials = Search(Searches.Quick(12), epochs: 9).Leaderboard.Where(trial => !trial.IsAlone).ToList();
        for (var rung = 0; rung < 2; rung++)
        {
            var (stayed, left) = (trials.Where(t => t.Rungs.Count > rung + 1), trials.Where(t => t.Rungs.Count == rung + 1));
            Assert.That(stayed.Min(t => t.Rungs[rung].Accuracy), Is.GreaterThanOrEqualTo(left.Max(t => t.Rungs[rung].Accuracy)));
        }
    }

    [Test]
    public void The_trainers_own_settings_are_trained_in_full_even_if_they_begin_slowly()
    {
        var space = new SearchSpace { Methods = Searches.Methods(9), LearningRates = [1e-6, 0.03], TransferRows = [null] };
        var options = _context.Student(_view) with { Epochs = 9, Method = Searches.Methods(1)[0], Optimizer = Optimizer.AdamW(1e-6) };
        var result = _context.Trainer(options).Search(_view, Searches.Quick() with { Space = space });
        var own = result.Leaderboard.Single(trial => trial.Number == 1);
        Assert.That((own.Method, own.LearningRate, own.Last!.Epochs), Is.EqualTo((options.Method, 1e-6, 9)));
        Assert.That(result.Leaderboard.Count(trial => !trial.IsAlone && trial.Chosen is not null), Is.EqualTo(3));
        Assert.That(result.Best.LearningRate, Is.EqualTo(0.03));
        Assert.That(result.Leaderboard.Single(trial => trial.IsAlone && trial.LearningRate == 1e-6).Chosen, Is.Not.Null, "the student alone likewise");
    }

    [Test]
    public void A_shorter_training_that_is_better_is_the_result()
    {
        // Half of the labels are wrong, so longer training only learns more of them by heart.
        var random = new Random(4);
        var rows = Rows.Points(600);
        foreach (var row in rows.Where(_ => random.Next(2) == 0))
            row.Label = Rows.Classes[random.Next(3)];
        var view = _context.Keyed(rows);
        var options = _context.Student(view) with { Student = NetworkSpec.Mlp(64), Epochs = 30, BatchSize = 32, Method = DistillationMethod.Kd(1, 0) };
        var search = Searches.Quick() with
        {
            Space = new SearchSpace { Methods = [.. Enumerable.Range(1, 4).Select(temperature => DistillationMethod.Kd(temperature, 0))], LearningRates = [0.03], TransferRows = [null] },
            ValidationFraction = 0.6,
        };
        var result = _context.Trainer(options).Search(view, search);
        foreach (var trial in result.Leaderboard.Where(t => t.Chosen is not null))
        {
            Assert.That(trial.Chosen!.Accuracy, Is.EqualTo(trial.Rungs.Max(rung => rung.Accuracy)));
            Assert.That(trial.Chosen.Epochs, Is.EqualTo(trial.Rungs.Where(rung => rung.Accuracy == trial.Chosen.Accuracy).Max(rung => rung.Epochs)), "among equals the longest");
        }

        Assert.That(result.Best.Chosen!.Epochs, Is.LessThan(30));
        Assert.That(result.Model.Model.History, Has.Count.EqualTo(result.Best.Chosen.Epochs));
        Assert.That(result.Options.Epochs, Is.EqualTo(result.Best.Chosen.Epochs));
    }

    [TestCase(6, 10.0, 1)]
    [TestCase(8, 10.0, 40)]
    [TestCase(4, 10.0, 1000)]
    [TestCase(1, 10.0, 1)]
    [TestCase(4, 2.0, 1)]
    [TestCase(4, 3.5, 1)]
    public void The_steps_of_a_search_of_the_default_space_keep_the_budget(int epochs, double budget, int minimumSteps)
    {
        var result = Search(new SearchOptions { Budget = budget, MinimumSteps = minimumSteps }, epochs);
        Assert.That(result.TrainingSteps, Is.LessThanOrEqualTo(budget * result.StepsOfOneFit));
        Assert.That(result.TrainingSteps, Is.EqualTo(result.Leaderboard.Sum(trial => trial.Rungs.Sum(rung => rung.Steps))));
        Assert.That(new[] { result.Best, result.BestAlone }.Select(trial => trial.Last!.Epochs), Is.All.EqualTo(epochs));
        Assert.That(
            result.Leaderboard.SelectMany(trial => trial.Rungs).Min(rung => rung.Steps),
            Is.GreaterThanOrEqualTo(Math.Min(minimumSteps, result.StepsOfOneFit)));
    }

    [Test]
    public void By_default_no_training_has_fewer_than_200_steps() => Assert.That(new SearchOptions().MinimumSteps, Is.EqualTo(200));

    [Test]
    public void The_default_space_is_the_trainers_own_settings_KD_and_DIST_at_three_rates_with_and_without_rows_made_up_beside_the_student_alone()
    {
        var result = Search(new SearchOptions { Trials = 1000, Budget = 1000, MinimumSteps = 1 }, epochs: 2);
        var (distilled, alone) = (result.Leaderboard.Where(t => !t.IsAlone).ToList(), result.Leaderboard.Where(t => t.IsAlone).ToList());
        // The trainer's own method, KD at T = 1 and alpha = 0.5 by default, is one of these.
        DistillationMethod[] methods = [.. SearchSpace.Kd([1, 2, 4], [0.5, 0.9, 1]), DistillationMethod.Dist(temperature: 1)];
        Assert.That(distilled.Select(t => t.Method).Distinct(), Is.EquivalentTo(methods));
        Assert.That(distilled.Select(t => t.TransferRows).Distinct(), Is.EquivalentTo(new[] { null, TransferRows.Munge(copies: 2), TransferRows.Munge() }));
        Assert.That(distilled, Has.Count.EqualTo(3 * 3 * methods.Length));
        Assert.That(alone.Select(t => t.LearningRate).Order(), Is.EqualTo(new[] { 0.03 / 5, 0.03, 0.03 * 5 }).Within(1e-9));
        var own = distilled.Single(t => t.Number == 1);
        Assert.That((own.Method, own.LearningRate, own.TransferRows), Is.EqualTo((DistillationMethod.Kd(1, 0.5), 0.03, (TransferRows?)null)));
    }

    [Test]
    public void Where_no_rate_is_set_the_rates_are_those_around_the_students_default()
    {
        var options = _context.Student(_view) with { Epochs = 1, Optimizer = null };
        var result = _context.Trainer(options).Search(_view, Searches.Default);
        Assert.That(result.Leaderboard.Single(trial => trial.Number == 1).LearningRate, Is.EqualTo(NetworkSpec.Mlp(8).DefaultLearningRate));
        Assert.That(result.Leaderboard.Where(trial => trial.IsAlone).Max(trial => trial.LearningRate), Is.EqualTo(5 * NetworkSpec.Mlp(8).DefaultLearningRate).Within(1e-9));
    }

    [Test]
    public void A_sample_of_a_large_space_has_each_value_about_equally_often()
    {
        var space = new SearchSpace { Methods = Searches.Methods(6), LearningRates = [0.01, 0.02, 0.03], Students = [NetworkSpec.Mlp(4), NetworkSpec.Mlp(8)], TransferRows = [null, TransferRows.Munge(copies: 1)] };
        var trials = Search(new SearchOptions { Space = space, Trials = 12, Budget = 100, MinimumSteps = 1 }, epochs: 2).Leaderboard.Where(t => !t.IsAlone).ToList();
        Assert.That(trials.DistinctBy(t => (t.Method, t.LearningRate, t.Student, t.TransferRows)).Count(), Is.EqualTo(12));
        Assert.That(trials.CountBy(t => t.Method).Select(c => c.Value), Is.All.InRange(1, 3));
        Assert.That(trials.CountBy(t => t.LearningRate).Select(c => c.Value), Is.All.InRange(3, 5));
        Assert.That(trials.CountBy(t => t.TransferRows is null).Select(c => c.Value), Is.All.InRange(5, 7));
        Assert.That(trials.CountBy(t => t.Student).Select(c => c.Value), Is.All.InRange(5, 7));
    }

    private SearchResult Search(SearchOptions options, int epochs) => _context.Trainer(_context.Student(_view) with { Epochs = epochs }).Search(_view, options);
}
