using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

public sealed class SearchResultTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points();
    private readonly IDataView _view;

    public SearchResultTests() => _view = _context.Keyed(_rows);

    [Test]
    public void The_same_seed_gives_the_same_leaderboard_and_student()
    {
        var (first, second) = (Search(Searches.Default), Search(Searches.Default));
        Assert.That(second.Lines(), Is.EqualTo(first.Lines()));
        Assert.That(second.Model.Scores(_view), Is.EqualTo(first.Model.Scores(_view)));
        Assert.That(second.Gain, Is.EqualTo(first.Gain));
    }

    [Test]
    public void A_training_in_a_search_is_that_of_a_trainer_with_its_settings()
    {
        // The rows of the search, told to a fit by a validation column: those held out are neither trained on nor validated on.
        var result = Search(Searches.Quick());
        var alone = _context.Fit(Rows.Quick() with { Optimizer = Optimizer.AdamW(0.03) }, _view);
        Assert.That(result.Alone.Model.ParameterCount, Is.EqualTo(alone.Model.ParameterCount));
        Assert.That(result.Alone.Model.Settings.Single(s => s.Name == "Optimizer"), Is.EqualTo(alone.Model.Settings.Single(s => s.Name == "Optimizer")));
        Assert.That(result.Model.Model.History, Has.Count.EqualTo(6));
    }

    [Test]
    public void Its_options_are_ready_for_a_fit_on_all_rows()
    {
        var result = Search(Searches.Quick());
        Assert.That((result.Options.Method, result.Options.Optimizer.LearningRate, result.Options.Student), Is.EqualTo((result.Best.Method, result.Best.LearningRate, result.Best.Student)));
        Assert.That((result.Options.ValidationFraction, result.Options.Epochs), Is.EqualTo((0, result.Best.Chosen!.Epochs)));
        var model = _context.Fit(result.Options, _view);
        Assert.That(model.Model.Method, Is.EqualTo(result.Best.Method.Name));
        Assert.That(model.AccuracyOn(_rows, _view), Is.GreaterThan(0.8));
    }

    [Test]
    public void Targets_that_ask_no_teacher_are_candidates_beside_the_student_alone_on_the_labelled_rows()
    {
        var (similar, smoothed, kd) = (
            DistillationMethod.PartialKd(TeacherTargets.ClassSimilarity(new[,] { { 1, 0.5, 0 }, { 0.5, 1, 0 }, { 0, 0, 1 } }), 1, 0.5),
            DistillationMethod.PartialKd(TeacherTargets.Smoothed(), 1, 0.5),
            DistillationMethod.Kd(1, 0.5));
        var space = new SearchSpace { Methods = [kd, smoothed, similar], LearningRates = [0.03], TransferRows = [TransferRows.Munge(copies: 1), null] };
        var result = _context.Trainer(_context.Student(_view) with { Method = similar }).Search(_view, Searches.Quick() with { Space = space, MinimumSteps = 1000 });
        var distilled = result.Leaderboard.Where(trial => !trial.IsAlone).ToList();
        Assert.That(distilled.Single(trial => trial.Number == 1).Method, Is.EqualTo(similar), "the trainer's own settings come first");
        Assert.That(
            distilled.Select(trial => (trial.Method.Name, trial.TransferRows is null)),
            Is.EquivalentTo(new[] { (kd.Name, true), (kd.Name, false), (smoothed.Name, true), (similar.Name, true) }), "rows that only a teacher could answer for teach the others nothing");
        Assert.That(distilled.Select(trial => trial.Last!.Steps).Distinct().Count(), Is.EqualTo(1));
        Assert.That(result.BestAlone.IsAlone, Is.True);
        Assert.That(result.BestAlone.Method.Name, Is.EqualTo(DistillationMethod.LabelsOnly().Name));
    }

    [Test]
    public void A_teacher_of_noise_does_not_pay_and_the_student_alone_is_returned()
    {
        var teacher = _context.Saying(_view, features => features[0] > 0 ? [0.1f, 0.8f, 0.1f] : [0.8f, 0.1f, 0.1f]);
        var options = Searches.Quick() with { Space = new SearchSpace { Methods = SearchSpace.Kd([1, 2], [1]), LearningRates = [0.03], TransferRows = [null] }, JudgeFraction = 0.4 };
        var result = _context.Trainer(Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0, Epochs = 20 }).Search(_view, options);
        Assert.That(result.Gain.Upper, Is.LessThan(0));
        Assert.That(result.PrefersAlone, Is.True);
        Assert.That(result.Model, Is.SameAs(result.Alone));
        Assert.That(result.Options.Method.Name, Is.EqualTo(DistillationMethod.LabelsOnly().Name));
        Assert.That(result.Verdict, Does.StartWith("Distilling does not pay here.").And.Contains("the student alone is returned"));
    }

    [Test]
    public void A_teacher_that_knows_the_held_out_rows_is_named_in_the_verdict()
    {
        // A model that is right on a few rows may just be good.
        var many = Rows.Points(600);
        var classes = _rows.Concat(many).ToLookup(row => row.Features[0], row => Array.IndexOf(Rows.Classes, row.Label));
        float[] Remember(float[] features) => [.. Enumerable.Range(0, 3).Select(i => i == classes[features[0]].First() ? 0.8f : 0.1f)];
        string Verdict(Teacher teacher, IDataView view) => _context.Trainer(Rows.Quick(teacher)).Search(view, Searches.Quick() with { ValidationFraction = 0.15, JudgeFraction = 0.15 }).Verdict;
        const string Known = "The teacher is right on nearly all of the 180 held-out rows: most likely it was trained on them.";
        Assert.Multiple(() =>
        {
            Assert.That(Verdict(_context.Saying(_view, Remember), _context.Keyed(many)), Does.Contain(Known).And.Contains("Let the search fit the teacher (Teacher.FromEstimator)"));
            Assert.That(Verdict(_context.Saying(_view, Remember), _view), Does.Not.Contain("most likely"));
            Assert.That(Verdict(Teacher.FromEstimator(_context.Regression()), _context.Keyed(many)), Does.Not.Contain("most likely"));
        });
    }

    [Test]
    public void Where_labels_are_few_and_noisy_a_good_teacher_pays()
    {
        // Of 90 labels half are wrong; the teacher knows the truth.
        var random = new Random(3);
        var rows = Rows.Points(900, 7);
        var centre = _context.Regression().Fit(_context.Keyed(Rows.Points(600)));
        foreach (var row in rows.Where(_ => random.NextDouble() < 0.75))
            row.Label = Rows.Classes[random.Next(3)];
        var view = _context.Keyed(rows);
        var options = Searches.Quick(2) with { Goal = SearchGoal.Agreement(), ValidationFraction = 0.3, JudgeFraction = 0.6 };
        var result = _context.Trainer(Rows.Quick(Teacher.FromTransformer(centre)) with { Student = NetworkSpec.Mlp(64), Epochs = 40 }).Search(view, options);
        Assert.That(result.Gain, Is.EqualTo(result.AgreementGain));
        Assert.That(result.Gain.Lower, Is.GreaterThan(0));
        Assert.That(result.Model, Is.Not.SameAs(result.Alone));
        Assert.That(result.Verdict, Does.StartWith("Distilling pays."));
    }

    [Test]
    public void Neither_students_nor_a_teacher_fitted_here_have_seen_the_rows_that_choose_and_judge()
    {
        // Labels that follow from nothing can be learnt by heart, and guessed no better than by chance.
        var random = new Random(2);
        foreach (var row in _rows)
            row.Label = Rows.Classes[random.Next(3)];
        var view = _context.Keyed(_rows);
        var trainer = _context.Trainer(Rows.Quick(Teacher.FromEstimator(_context.Trees())) with { Student = NetworkSpec.Mlp(64), Epochs = 60 });
        var result = trainer.Search(view, Searches.Quick(1) with { ValidationFraction = 0.25, JudgeFraction = 0.25 });
        Assert.That((result.ChoosingRows, result.Metrics.Rows), Is.EqualTo((60, 60)));
        Assert.That(new[] { result.TeacherAccuracy, result.Best.Last!.Accuracy, result.BestAlone.Last!.Accuracy }, Is.All.LessThan(0.52));
        Assert.That(new[] { result.Metrics.Teacher!.Accuracy.Value, result.Metrics.Student!.Accuracy, result.AloneMetrics.Student!.Accuracy }, Is.All.LessThan(0.52));
        Assert.That(result.Alone.AccuracyOn(_rows, view), Is.GreaterThan(0.5), "half of the rows by heart, the others by chance");
    }

    [Test]
    public void The_teacher_is_queried_once_for_each_row()
    {
        var asked = 0;
        var says = _context.Saying(_view, features =>
        {
            Interlocked.Increment(ref asked);
            return RowsTeachers.Rule(features);
        });
        var result = _context.Trainer(Rows.Quick(says) with { MinimumTeacherAccuracy = 0 }).Search(_view, Searches.Default);
        Assert.That(result.Leaderboard.Sum(trial => trial.Rungs.Count), Is.GreaterThan(8));
        // 168 rows are trained on; made up are two and five for each.
        Assert.That(asked, Is.LessThanOrEqualTo(_rows.Length + (7 * 168) + 1));
    }

    [Test]
    public void Steps_before_the_trainer_become_part_of_the_pipeline()
    {
        var raw = _context.Data.LoadFromEnumerable(_rows);
        var steps = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(_context.Transforms.NormalizeMeanVariance("Scaled", "Features"));
        var teacher = _context.Regression().Fit(raw);
        var trainer = _context.Trainer(Rows.Quick(Teacher.FromTransformer(teacher)) with { FeatureColumnName = "Scaled" });
        var result = trainer.Search(raw, steps, Searches.Quick());
        Assert.That(result.Pipeline.Transform(raw).GetColumn<float[]>("Score").Count(), Is.EqualTo(_rows.Length));
        Assert.That(result.Pipeline.FindStudent(), Is.SameAs(result.Model));
    }

    [Test]
    public void Its_text_is_a_leaderboard_of_one_screen()
    {
        var text = Search(Searches.Default).ToString();
        TestContext.Out.WriteLine(text);
        Assert.That(text.Split(Environment.NewLine), Has.Length.LessThan(24));
        Assert.That(text.Split(Environment.NewLine), Is.All.Length.LessThanOrEqualTo(120));
        Assert.That(text, Does.StartWith("Search for the best accuracy: 11 candidates, chosen by 36 rows; "));
    }

    private SearchResult Search(SearchOptions options) => _context.Trainer(_context.Student(_view)).Search(_view, options);
}
