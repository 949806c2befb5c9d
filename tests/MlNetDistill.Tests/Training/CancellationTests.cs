using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Training;

public sealed class CancellationTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public CancellationTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void A_run_cancelled_from_its_progress_throws()
    {
        using var source = new CancellationTokenSource();
        var progress = new RowsProgress(_ => source.Cancel());
        var thrown = Assert.Throws<OperationCanceledException>(
            () => _context.Fit(Rows.Quick() with { Progress = progress, CancellationToken = source.Token }, _view));
        Assert.Multiple(() =>
        {
            Assert.That(thrown!.Message, Is.EqualTo("Distillation was cancelled."));
            Assert.That(thrown.CancellationToken, Is.EqualTo(source.Token));
            Assert.That(progress.Reports, Has.Count.EqualTo(1));
        });
    }

    [Test]
    public void A_token_cancelled_before_the_start_throws()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.That(() => _context.Fit(Rows.Quick() with { CancellationToken = source.Token }, _view), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void ReturnBest_gives_the_best_epoch_so_far()
    {
        using var source = new CancellationTokenSource();
        var progress = new RowsProgress(p => { if (p.Epoch == 3) source.Cancel(); });
        var rows = Rows.Points();
        foreach (var row in rows.Take(80))
            row.Held = true;
        var model = _context.Fit(
            Rows.Quick() with
            {
                Progress = progress,
                CancellationToken = source.Token,
                OnCancellation = CancellationBehavior.ReturnBest,
                ValidationColumnName = "Held",
            },
            _context.Keyed(rows));
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.History, Has.Count.EqualTo(3));
            Assert.That(model.AccuracyOn([.. rows.Take(80)], _context.Keyed(rows.Take(80))), Is.EqualTo(progress.Reports.Max(p => p.Validation!.Quality)).Within(1e-9));
        });
    }

    [Test]
    public void ReturnBest_without_held_out_rows_gives_the_student_of_that_moment()
    {
        using var source = new CancellationTokenSource();
        var progress = new RowsProgress(p => { if (p.Epoch == 2) source.Cancel(); });
        var options = Rows.Quick() with { Schedule = LearningRateSchedule.Constant() };
        var cancelled = _context.Fit(
            options with { Progress = progress, CancellationToken = source.Token, OnCancellation = CancellationBehavior.ReturnBest }, _view);
        Assert.That(cancelled.Scores(_view), Is.EqualTo(_context.Fit(options with { Epochs = 2 }, _view).Scores(_view)));
    }

    [Test]
    public void ReturnBest_over_several_stages_gives_the_best_epoch_of_them_all()
    {
        using var source = new CancellationTokenSource();
        var log = new RowsLog(_context);
        var seen = new List<double>();
        var rows = Rows.Points();
        for (var i = 0; i < rows.Length; i++)
            (rows[i].Held, rows[i].Label) = (i < 80, Rows.Classes[RowsTeachers.RuleClass(rows[i])]);
        var view = _context.Keyed(rows);
        // The first anchor says what the labels say, the second the class after it.
        float[] Misleading(float[] features) => RowsTeachers.Rule(features) is var rule ? [rule[2], rule[0], rule[1]] : [];
        var options = Rows.Quick(Route.FromTeachers(("right", _context.Saying(view, RowsTeachers.Rule)), ("wrong", _context.Saying(view, Misleading)))) with
        {
            Method = DistillationMethod.Rco(DistillationMethod.Kd(1, alpha: 1)),
            ValidationColumnName = "Held",
            MinimumTeacherAccuracy = 0,
            Progress = new RowsProgress(p =>
            {
                seen.Add(p.Validation!.Quality);
                if (p.Stage == "KD, wrong" && p.Epoch == 3)
                    source.Cancel();
            }),
            CancellationToken = source.Token,
            OnCancellation = CancellationBehavior.ReturnBest,
        };
        var model = _context.Fit(options, view);
        Assert.Multiple(() =>
        {
            Assert.That(log.Warnings, Has.One.EqualTo("Training of the student was cancelled in stage 'KD, wrong'; its best epoch so far is returned."));
            Assert.That(seen[^1], Is.LessThan(seen.Max()), "the stage that was cut off stands below the one before");
            Assert.That(model.AccuracyOn([.. rows.Take(80)], _context.Keyed(rows.Take(80))), Is.EqualTo(seen.Max()).Within(1e-9));
        });
    }

    [Test]
    public void ReturnBest_returns_no_half_trained_teacher()
    {
        using var source = new CancellationTokenSource();
        var log = new RowsLog(_context);
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8))) with
        {
            Progress = new RowsProgress(p => { if (p.Stage == "teacher") source.Cancel(); }),
            CancellationToken = source.Token,
            OnCancellation = CancellationBehavior.ReturnBest,
        };
        Assert.That(() => _context.Fit(options, _view), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(log.Warnings, Is.Empty);
    }

    [Test]
    public void ReturnBest_says_so_in_the_log()
    {
        using var source = new CancellationTokenSource();
        var log = new RowsLog(_context);
        _context.Fit(
            Rows.Quick() with
            {
                Progress = new RowsProgress(_ => source.Cancel()),
                CancellationToken = source.Token,
                OnCancellation = CancellationBehavior.ReturnBest,
            },
            _view);
        Assert.That(log.Warnings, Has.One.EqualTo("Training of the student was cancelled in stage 'labels only'; it is returned with its last weights."));
    }
}
