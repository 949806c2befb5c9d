using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>What a fit tells through System.Diagnostics.</summary>
public sealed class InstrumentTests
{
    private MLContext _context = null!;
    private IDataView _view = null!;
    private ToyListener _listener = null!;

    [SetUp]
    public void Listen()
    {
        _context = Rows.Context();
        _view = _context.Keyed(Rows.Points());
        _listener = new ToyListener();
    }

    [TearDown]
    public void StopListening() => _listener.Dispose();

    [Test]
    public void A_fit_is_an_activity_that_says_what_is_fitted()
    {
        _context.Fit(Distilling(), _view);
        var fit = _listener.Activity("distillation.fit");
        Assert.Multiple(() =>
        {
            Assert.That(fit.GetTagItem("distillation.method"), Is.EqualTo("KD"));
            Assert.That(fit.GetTagItem("distillation.student"), Is.EqualTo("MLP 8"));
            Assert.That(fit.GetTagItem("distillation.teacher"), Is.Not.Null.And.Not.EqualTo("none"));
            Assert.That(fit.GetTagItem("distillation.rows"), Is.EqualTo(240));
            Assert.That(fit.GetTagItem("distillation.seed"), Is.EqualTo(11));
            Assert.That(fit.Status, Is.EqualTo(ActivityStatusCode.Unset));
        });
    }

    [Test]
    public void Teacher_cache_stage_and_export_are_parts_of_the_fit()
    {
        _context.Fit(Distilling(), _view);
        var fit = _listener.Activity("distillation.fit");
        var parts = new[] { "distillation.teacher", "distillation.cache", "distillation.stage", "distillation.export" };
        Assert.Multiple(() =>
        {
            Assert.That(_listener.Activities.Select(a => a.OperationName), Is.EqualTo(parts.Append("distillation.fit")));
            Assert.That(parts.Select(part => _listener.Activity(part).ParentSpanId), Is.All.EqualTo(fit.SpanId));
            Assert.That(_listener.Activity("distillation.stage").GetTagItem("distillation.network"), Is.EqualTo("student"));
            Assert.That(_listener.Activity("distillation.stage").GetTagItem("distillation.stage"), Is.EqualTo("KD"));
            Assert.That(_listener.Activity("distillation.cache").GetTagItem("distillation.rows"), Is.EqualTo(240));
        });
    }

    [Test]
    public void Gradients_and_logits_are_gauges_where_they_are_measured()
    {
        var model = _context.Fit(Distilling() with { MeasureTraining = true }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(_listener.Values("distillation.gradient.norm.mean"), Is.EqualTo(model.Model.History.Select(e => e.MeanGradientNorm)));
            Assert.That(_listener.Values("distillation.gradient.norm.largest"), Is.EqualTo(model.Model.History.Select(e => e.LargestGradientNorm)));
            Assert.That(_listener.Values("distillation.logit.largest"), Is.EqualTo(model.Model.History.Select(e => e.LargestLogit)));
            Assert.That(model.Model.History.Select(e => e.LargestLogit), Has.All.GreaterThan(0));
        });
    }

    [Test]
    public void A_fit_that_fails_has_the_status_error_and_its_exception()
    {
        var options = Rows.Quick() with { LabelColumnName = "Missing" };
        Assert.That(() => _context.Fit(options, _view), Throws.InstanceOf<ArgumentOutOfRangeException>());
        var fit = _listener.Activity("distillation.fit");
        Assert.Multiple(() =>
        {
            Assert.That(fit.Status, Is.EqualTo(ActivityStatusCode.Error));
            Assert.That(fit.Events.Single().Name, Is.EqualTo("exception"));
            Assert.That(_listener.Values("distillation.fits.finished", "distillation.outcome", "failed"), Is.EqualTo(new[] { 1 }));
            Assert.That(_listener.Values("distillation.fits.finished", "error.type", "System.ArgumentOutOfRangeException"), Is.EqualTo(new[] { 1 }));
            Assert.That(_listener.Values("distillation.fits.active"), Is.EqualTo(new[] { 1, -1 }));
        });
    }

    [Test]
    public void A_fit_that_is_cancelled_has_not_failed()
    {
        using var cancellation = new CancellationTokenSource();
        var options = Rows.Quick() with { CancellationToken = cancellation.Token, Progress = new RowsProgress(_ => cancellation.Cancel()) };
        Assert.That(() => _context.Fit(options, _view), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_listener.Values("distillation.fits.finished", "distillation.outcome", "cancelled"), Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void Every_epoch_is_measured()
    {
        var history = _context.Fit(Distilling() with { ValidationFraction = 0.25 }, _view).Model.History;
        Assert.Multiple(() =>
        {
            // 180 rows are 11 batches of 16, and a few for which the next epoch has a place.
            Assert.That(_listener.Values("distillation.rows.trained"), Is.EqualTo(Enumerable.Repeat(180, history.Count)));
            Assert.That(_listener.Values("distillation.epoch.duration"), Has.Length.EqualTo(history.Count).And.All.Positive);
            Assert.That(_listener.Values("distillation.learning_rate"), Is.EqualTo(history.Select(h => h.LearningRate)));
            Assert.That(_listener.Values("distillation.validation.quality", "distillation.validation.measure", "accuracy"), Is.EqualTo(history.Select(h => h.Validation?.Quality)));
            foreach (var loss in history[0].Losses.Keys)
                Assert.That(_listener.Values("distillation.loss", "distillation.loss.name", loss), Is.EqualTo(history.Select(h => h.Losses[loss])), loss);
            Assert.That(_listener.Values("distillation.fits.finished", "distillation.outcome", "completed"), Is.EqualTo(new[] { 1 }));
        });
    }

    [Test]
    public void Networks_are_told_apart()
    {
        _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8))) with { MinimumTeacherAccuracy = 0 }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(_listener.Values("distillation.rows.trained", "distillation.network", "teacher"), Is.Not.Empty);
            Assert.That(_listener.Values("distillation.rows.trained", "distillation.network", "student"), Has.Length.EqualTo(6));
        });
    }

    [Test]
    public void Rows_computed_by_a_teacher_and_rows_read_from_its_cache_are_counted_separately()
    {
        using var folder = new ToyFolder();
        var teacher = Teacher.FromTransformer(_context.Says(_view, RowsTeachers.Rule), classNames: Rows.Classes, cacheKey: "rule");
        var options = Rows.Quick(teacher) with { TeacherCache = new TeacherCacheOptions { Folder = folder.Path }, MinimumTeacherAccuracy = 0 };
        _context.Fit(options, _view);
        var (computed, read) = (_listener.Values("distillation.teacher.rows").Sum(), _listener.Values("distillation.cache.rows").Sum());
        _listener.Measurements.Clear();
        _context.Fit(options, _view);
        Assert.Multiple(() =>
        {
            Assert.That(computed, Is.EqualTo(240));
            Assert.That(read, Is.Zero);
            Assert.That(_listener.Values("distillation.teacher.rows").Sum(), Is.EqualTo(16), "queried again");
            Assert.That(_listener.Values("distillation.cache.rows").Sum(), Is.EqualTo(240));
        });
    }

    [Test]
    public void Instruments_have_the_units_that_are_documented()
    {
        _context.Fit(Distilling() with { ValidationFraction = 0.25 }, _view);
        var units = _listener.Measurements.Select(m => (m.Instrument.Name, m.Instrument.Unit)).Distinct().ToDictionary(i => i.Name, i => i.Unit);
        Assert.That(units, Is.SupersetOf(new Dictionary<string, string?>
        {
            ["distillation.fits.active"] = "{fit}",
            ["distillation.fits.finished"] = "{fit}",
            ["distillation.rows.trained"] = "{row}",
            ["distillation.epoch.duration"] = "s",
            ["distillation.loss"] = null,
            ["distillation.validation.quality"] = "1",
            ["distillation.learning_rate"] = "1",
            ["distillation.teacher.rows"] = "{row}",
        }));
    }

    private DistillationOptions Distilling() => Rows.Quick(_context.Saying(_view, RowsTeachers.Rule)) with { MinimumTeacherAccuracy = 0 };
}
