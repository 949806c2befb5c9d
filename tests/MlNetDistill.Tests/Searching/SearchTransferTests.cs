using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

/// <summary>Transfer rows as a setting that is searched.</summary>
public sealed class SearchTransferTests
{
    // 240 rows, of which 36 choose and 36 judge; batches of 16; six epochs.
    private const int Steps = 6 * ((168 + 15) / 16);
    private static readonly TransferRows?[] Both = [null, TransferRows.Munge(copies: 2)];
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public SearchTransferTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void Candidates_with_and_without_take_as_many_steps_and_the_teacher_is_asked_once()
    {
        var asked = 0;
        var says = _context.Saying(_view, features =>
        {
            Interlocked.Increment(ref asked);
            return RowsTeachers.Rule(features);
        });
        var result = Search(Rows.Quick(says) with { MinimumTeacherAccuracy = 0 }, Searches.Methods(2), [.. Both, TransferRows.Munge(copies: 3)]);
        Assert.That(result.Leaderboard.Where(trial => trial.Last!.Epochs == 6).Select(trial => trial.Last!.Steps), Is.All.EqualTo(Steps));
        Assert.That(result.Leaderboard.Where(trial => !trial.IsAlone).CountBy(trial => $"{trial.TransferRows}").Select(count => count.Value), Is.EqualTo(new[] { 2, 2, 2 }));
        Assert.That(asked, Is.LessThanOrEqualTo(240 + (5 * 168) + 1));
    }

    [Test]
    public void A_candidate_is_what_a_search_with_its_rows_alone_would_train()
    {
        // The same rows are made up whatever else is searched, and a candidate is trained on no others.
        string[] Lines(params TransferRows?[] rows) => [.. Search(_context.Student(_view), Searches.Methods(1), rows, minimumSteps: 1000).Lines().Where(line => !line.Contains("labels only")).Select(line => line[1..])];
        var spunge = TransferRows.Spunge(copies: 1);
        Assert.That(Lines(null, Both[1], spunge, spunge.And(Both[1]!)), Is.SupersetOf(Lines([null]).Concat(Lines(Both[1])).Concat(Lines(spunge)).ToArray()));
    }

    [Test]
    public void The_trainers_own_rows_and_none_are_the_default_and_an_epoch_is_a_pass_over_the_trainers_rows()
    {
        var own = TransferRows.Spunge(copies: 2);
        var result = _context.Trainer(_context.Student(_view) with { TransferRows = own }).Search(_view, Searches.Default);
        Assert.That(result.Leaderboard.Where(trial => !trial.IsAlone).Select(trial => trial.TransferRows).Distinct(), Is.EquivalentTo(new[] { null, own }));
        Assert.That(result.StepsOfOneFit, Is.EqualTo(6 * ((3 * 168 / 16) + 1)));
        Assert.That(result.BestAlone.Last!.Steps, Is.EqualTo(result.StepsOfOneFit), "as many steps on the labelled rows");
        Assert.That(result.Alone.Model.Settings.Single(setting => setting.Name == "TransferRows").Value, Is.EqualTo("none"));
    }

    [Test]
    public void The_options_take_as_many_steps_as_the_chosen_training()
    {
        var result = Search(_context.Student(_view) with { Epochs = 9 }, Searches.Methods(1), [Both[1]]);
        Assert.That(result.Options.TransferRows, Is.EqualTo(Both[1]));
        Assert.That(result.Options.Epochs, Is.EqualTo(3), "three times the rows");
        Assert.That(result.Model.Model.Settings.Single(setting => setting.Name == "TransferRows").Value, Does.Contain("Copies 2"));
        Assert.That(result.Model.Model.Notes, Has.Some.Contains("also trained on 336 rows without labels"));
    }

    [Test]
    public void Rows_that_cannot_be_made_are_left_out_by_default_and_an_error_if_they_were_asked_for()
    {
        // The scores were loaded with the data.
        var view = _context.Keyed(Rows.Points().Select(row => new Scored { Label = row.Label, Features = row.Features, Score = RowsTeachers.Rule(row.Features) }));
        var options = Rows.Quick(Teacher.FromColumn("Score", classNames: Rows.Classes)) with { MinimumTeacherAccuracy = 0 };
        var log = new RowsLog(_context);
        var result = _context.Trainer(options).Search(view, Searches.Default);
        Assert.That(result.Leaderboard.Select(trial => trial.TransferRows), Is.All.Null);
        Assert.That(log.Lines, Has.Some.Contains("The search tries no rows that are made up, because they cannot be made here: TransferRows: the teacher's scores in column 'Score' were loaded"));
        Assert.That(
            () => _context.Trainer(options).Search(view, new SearchOptions { Space = new SearchSpace { TransferRows = Both } }),
            Throws.InvalidOperationException.With.Message.StartsWith("TransferRows: the teacher's scores in column 'Score' were loaded"));
    }

    [Test]
    public void Rows_of_few_labels_train_the_student_alone_on_those_in_as_many_steps()
    {
        // One row in three has a label.
        var rows = Rows.Points();
        foreach (var (at, row) in rows.Index())
            row.Label = at / 3 % 3 == 0 ? row.Label : "";
        var view = Unlabelled(rows);
        var options = Rows.Quick(_context.Saying(view, RowsTeachers.Rule)) with { MinimumTeacherAccuracy = 0, MissingLabels = MissingLabels.TeacherOnly };
        var result = Search(options, Searches.Methods(1), Both, view);
        Assert.That(result.BestAlone.Last!.Steps, Is.EqualTo(result.StepsOfOneFit).And.EqualTo(result.Best.Last!.Steps));
        Assert.That(result.Alone.Model.Settings.Single(setting => setting.Name == "MissingLabels").Value, Is.EqualTo("Drop"));
        Assert.That(result.ChoosingRows + result.Metrics.Rows, Is.EqualTo(24), "of the rows with labels");
    }

    private SearchResult Search(DistillationOptions options, IReadOnlyList<DistillationMethod> methods, IReadOnlyList<TransferRows?> rows, IDataView? view = null, int minimumSteps = 1) =>
        _context.Trainer(options).Search(view ?? _view, new() { MinimumSteps = minimumSteps, Space = new SearchSpace { Methods = methods, LearningRates = [0.03], TransferRows = rows } });

    private IDataView Unlabelled(IEnumerable<Point> rows)
    {
        var all = _context.Data.LoadFromEnumerable(Rows.Points());
        return _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(all)
            .Transform(_context.Data.LoadFromEnumerable(rows));
    }

    private sealed class Scored
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
