using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

public sealed class SearchFaultTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public SearchFaultTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void All_wrong_options_are_named_at_once()
    {
        var options = new SearchOptions
        {
            Space = new SearchSpace { Methods = [DistillationMethod.LabelsOnly(), DistillationMethod.Kd(0), null!], LearningRates = [-1], Students = [], TransferRows = [] },
            Goal = SearchGoal.SmallestStudent(1.5),
            Trials = 0,
            Budget = 1.5,
            MinimumSteps = 0,
            TimeLimit = TimeSpan.Zero,
            ValidationFraction = 0.6,
            JudgeFraction = 0.4,
            Folder = " ",
        };
        Assert.That(() => Trainer().Search(_view, options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(string.Join(
            Environment.NewLine,
            "KD's temperature must be above 0; was 0.",
            "Space.Methods holds a null; leave it out.",
            "Space.Students must hold at least one value, or be null for the default.",
            "Space.TransferRows must hold at least one value, which may be null for no such rows, or be null for the default.",
            "Each of Space.LearningRates must be above 0; was -1.",
            "Space.Methods must not hold 'labels only', which learns from labels alone: the student alone is always searched beside the methods. Leave it out.",
            "Goal's share to keep must be in (0, 1]; was 1.5.",
            "Trials must be at least 1; was 0.",
            "Budget must be at least 2, for one distilled student and one alone; was 1.5.",
            "MinimumSteps must be at least 1; was 0.",
            "TimeLimit must be above 0; was 00:00:00.",
            "ValidationFraction and JudgeFraction must sum to less than 1, or no row is left to train on; were 0.6 and 0.4.",
            "Folder must be a folder's name, or null for none; was ' '.")));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(double.NaN)]
    public void A_fraction_is_a_share_of_the_rows(double fraction)
    {
        Assert.That(() => Trainer().Search(_view, new() { ValidationFraction = fraction }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
            FormattableString.Invariant($"ValidationFraction must be in (0, 1); was {fraction}.")));
        Assert.That(() => Trainer().Search(_view, new() { JudgeFraction = fraction }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
            FormattableString.Invariant($"JudgeFraction must be in (0, 1); was {fraction}.")));
    }

    [Test]
    public void Missing_parts_and_an_empty_list_of_rates_are_named() => Assert.That(
        () => Trainer().Search(_view, new() { Space = new SearchSpace { LearningRates = [] }, Goal = null! }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(string.Join(
            Environment.NewLine,
            "Space.LearningRates must hold at least one rate, or be null for the default.",
            "Goal must be set, for example to SearchGoal.Accuracy().")));

    [Test]
    public void Faults_of_transfer_rows_are_named_and_a_candidate_whose_settings_do_not_fit_together_too()
    {
        Assert.That(() => Trainer().Search(_view, new() { Space = new SearchSpace { TransferRows = [null, TransferRows.Munge(copies: -1)] } }), Throws.TypeOf<ArgumentOutOfRangeException>()
            .With.Message.StartsWith("The copies of TransferRows must be above 0; was -1."));
        var space = new SearchSpace { Methods = [DistillationMethod.Dist()], TransferRows = [TransferRows.Munge() with { Weight = 0.5 }] };
        Assert.That(() => Trainer().Search(_view, new() { Space = space }), Throws.TypeOf<ArgumentOutOfRangeException>()
            .With.Message.StartsWith("The method DIST has a loss over pairs of rows, to which example weights cannot be applied; leave TransferRows.Weight 1."));
    }

    [Test]
    public void A_null_space_is_named() => Assert.That(
        () => Trainer().Search(_view, new() { Space = null! }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Space must be set; new SearchSpace() has the defaults."));

    [Test]
    public void A_trainer_without_teacher_labels_or_with_separate_validation_data_cannot_search()
    {
        Assert.That(() => _context.Trainer(Rows.Quick()).Search(_view), Throws.InvalidOperationException.With.Message.EqualTo(
            "A search compares distilled students with a student alone, and Teacher is not set in the trainer's options; set it."));
        Assert.That(() => _context.Trainer(_context.Student(_view) with { LabelColumnName = null }).Search(_view), Throws.InvalidOperationException.With.Message.EqualTo(
            "A search compares distilled students with a student that learns from labels alone, and LabelColumnName is null: name the label column."));
        Assert.That(() => _context.Trainer(_context.Student(_view) with { ValidationData = _view }).Search(_view), Throws.InvalidOperationException.With.Message.EqualTo(
            "A search holds out rows of its own input, for which the teacher is queried with all others. Leave out ValidationData; SearchOptions.ValidationFraction says how many."));
    }

    [Test]
    public void Too_few_labelled_rows_to_choose_and_to_judge_by_are_an_error() => Assert.That(
        () => _context.Trainer(_context.Student(_view)).Search(_context.Keyed(Rows.Points(3))), Throws.InvalidOperationException.With.Message.StartsWith(
            "A search holds out labelled rows to choose by and others to judge by, and "));

    [Test]
    public void A_candidate_that_does_not_fit_the_teacher_is_an_error_before_anything_is_trained() => Assert.That(
        () => Trainer().Search(_view, new() { Space = new SearchSpace { Methods = [DistillationMethod.Kd(), DistillationMethod.Sskd()] } }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("needs StageFeatures from its teacher, and this teacher gives only Logits"));

    [Test]
    public void A_training_that_fails_is_the_last_of_its_rung_and_the_search_goes_on()
    {
        var result = Trainer().Search(_view, Searches.Quick(1) with { Space = new SearchSpace { Methods = Searches.Methods(1), LearningRates = [0.03, 1e30], TransferRows = [null] } });
        Assert.That(result.Leaderboard.Where(trial => trial.Failure is not null).Select(trial => trial.LearningRate), Is.EqualTo(new[] { 1e30, 1e30 }));
        Assert.That((result.Best.LearningRate, result.BestAlone.LearningRate), Is.EqualTo((0.03, 0.03)));
        Assert.That(result.ToString(), Does.Contain("failed"));
    }

    [Test]
    public void If_all_trainings_fail_the_last_failure_is_told() => Assert.That(
        () => Trainer().Search(_view, Searches.Quick(1) with { Space = new SearchSpace { Methods = Searches.Methods(1), LearningRates = [1e30], TransferRows = [null] } }),
        Throws.InvalidOperationException.With.Message.StartsWith("No candidate could be trained in full. The last failure, of KD ")
            .And.Message.EndsWith("Lower the rates in SearchSpace.LearningRates."));

    [Test]
    public void A_time_limit_that_two_trainings_exceed_is_an_error_and_a_long_one_changes_nothing()
    {
        Assert.That(() => Trainer().Search(_view, Searches.Quick() with { TimeLimit = TimeSpan.FromTicks(1) }), Throws.InvalidOperationException.With.Message.StartsWith(
            "TimeLimit 0.0 s is too short for a search: one distilled student and one alone are trained in full, which takes about "));
        Assert.That(Trainer().Search(_view, Searches.Quick(1) with { TimeLimit = TimeSpan.FromHours(1) }).Lines(), Is.EqualTo(Trainer().Search(_view, Searches.Quick(1)).Lines()));
    }

    [Test]
    public void A_failing_progress_does_not_end_a_search()
    {
        var log = new RowsLog(_context);
        Trainer().Search(_view, Searches.Quick(1) with { Progress = new Watcher(_ => throw new NotSupportedException("no display")) });
        Assert.That(log.Lines, Has.Some.Contains("The search's Progress threw NotSupportedException: no display The search continues."));
    }

    [Test]
    public void Progress_counts_to_the_end()
    {
        var seen = new List<SearchProgress>();
        var result = Trainer().Search(_view, Searches.Quick(4) with { Progress = new Watcher(seen.Add) });
        Assert.That((seen[^1].EpochsDone, seen[^1].EpochsPlanned), Is.EqualTo((seen[0].EpochsPlanned, seen[0].EpochsPlanned)));
        Assert.That(seen.Select(p => p.EpochsDone), Is.Ordered);
        Assert.That(seen.Count(p => p.Epoch is null), Is.EqualTo(result.Leaderboard.Sum(trial => trial.Rungs.Count)));
        Assert.That(seen[^1].ToString(), Does.StartWith("rung 3/3, trial 5 (labels only"));
    }

    private DistillationTrainer Trainer() => _context.Trainer(_context.Student(_view));
}
