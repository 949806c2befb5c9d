using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Training;

/// <summary>Fits whose training time is limited, by a clock that the tests set.</summary>
public sealed class TimeBudgetTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;
    private readonly Clock _clock = new();

    public TimeBudgetTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void The_best_epoch_so_far_is_returned_with_a_warning_that_names_stage_epoch_and_time()
    {
        var rows = Rows.Points();
        foreach (var row in rows.Take(80))
            row.Held = true;
        var progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(4)));
        var model = _context.Fit(
            Rows.Quick() with { Clock = _clock, MaxTrainingTime = TimeSpan.FromMinutes(10), Progress = progress, ValidationColumnName = "Held" }, _context.Keyed(rows));
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.History, Has.Count.EqualTo(3), "4 and 8 minutes are within the 10, 12 are not");
            Assert.That(model.AccuracyOn([.. rows.Take(80)], _context.Keyed(rows.Take(80))), Is.EqualTo(progress.Reports.Max(p => p.Validation!.Quality)).Within(1e-9));
            Assert.That(model.Model.Warnings, Has.One.EqualTo(
                "Training of the student was ended in epoch 4 of 6 of stage 'labels only', after 00:12:00, because MaxTrainingTime is 00:10:00; its best epoch so far is returned."));
        });
    }

    [Test]
    public void With_checkpoints_the_time_is_that_of_each_call_and_the_calls_together_give_the_student_of_one_without_a_limit()
    {
        using var folder = new ToyFolder();
        var options = Rows.Quick() with
        {
            Clock = _clock,
            CheckpointDirectory = folder.Path,
            MaxTrainingTime = TimeSpan.FromMinutes(10),
            Progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(5))),
        };
        // Each call has time for two of the six epochs.
        var calls = Enumerable.Range(0, 3).Select(_ => _context.Fit(options, _view)).ToList();
        Assert.That(calls.Select(call => call.Model.History.Count), Is.EqualTo(new[] { 2, 4, 6 }));
        Assert.That(calls.Take(2).Select(call => call.Model.Warnings), Has.All.Some.Contains("because MaxTrainingTime is 00:10:00"));
        var last = _context.Fit(options, _view);
        Assert.That(last.Model.Warnings, Has.None.Contains("MaxTrainingTime"));
        Assert.That(last.Scores(_view), Is.EqualTo(_context.Fit(Rows.Quick(), _view).Scores(_view)));
    }

    [Test]
    public void Without_held_out_rows_it_is_the_student_of_that_moment()
    {
        var options = Rows.Quick() with { Schedule = LearningRateSchedule.Constant() };
        var ended = _context.Fit(
            options with { Clock = _clock, MaxTrainingTime = TimeSpan.FromMinutes(10), Progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(5))) }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(ended.Scores(_view), Is.EqualTo(_context.Fit(options with { Epochs = 2 }, _view).Scores(_view)));
            Assert.That(ended.Model.Warnings, Has.One.EndsWith("because MaxTrainingTime is 00:10:00; it is returned with its last weights."));
        });
    }

    [Test]
    public void A_fit_within_its_time_is_the_one_without_a_limit()
    {
        var limited = _context.Fit(Rows.Quick() with { MaxTrainingTime = TimeSpan.FromDays(1) }, _view);
        Assert.That(limited.Scores(_view), Is.EqualTo(_context.Fit(Rows.Quick(), _view).Scores(_view)));
        Assert.That(limited.Model.Warnings, Has.None.Contains("MaxTrainingTime"));
    }

    [Test]
    public void It_throws_where_asked_to()
    {
        var options = Rows.Quick() with
        {
            Clock = _clock,
            MaxTrainingTime = TimeSpan.FromMinutes(10),
            OnTimeUp = CancellationBehavior.Throw,
            Progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(5))),
        };
        var thrown = Assert.Throws<TrainingTimeoutException>(() => _context.Fit(options, _view))!;
        Assert.That((thrown.Stage, thrown.Epoch, thrown.Limit), Is.EqualTo(("labels only", 3, TimeSpan.FromMinutes(10))));
        Assert.That(thrown.Message, Is.EqualTo(
            "MaxTrainingTime of 00:10:00 was used up in epoch 3 of 6 of stage 'labels only' of the student, after 00:10:00 of training. " +
            "Raise MaxTrainingTime, lower Epochs, or let OnTimeUp return the best student so far."));
    }

    [Test]
    public void Teacher_and_student_share_the_time()
    {
        var progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(1)));
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 4)) with { Clock = _clock, MaxTrainingTime = TimeSpan.FromMinutes(7), Progress = progress, MinimumTeacherAccuracy = 0 };
        var model = _context.Fit(options, _view);
        Assert.That(progress.Reports.Select(p => p.Stage), Is.EqualTo(new[] { "teacher", "teacher", "teacher", "teacher", "KD", "KD", "KD" }));
        Assert.That(model.Model.Warnings, Has.One.StartsWith("Training of the student was ended in epoch 4 of 6 of stage 'KD', after 00:07:00, because"));
    }

    [Test]
    public void A_teacher_that_uses_up_the_time_is_not_used_half_trained()
    {
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 4)) with
        {
            Clock = _clock,
            MaxTrainingTime = TimeSpan.FromMinutes(2),
            Progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(1))),
        };
        Assert.That(() => _context.Fit(options, _view), Throws.TypeOf<TrainingTimeoutException>().With.Message.EqualTo(
            "MaxTrainingTime of 00:02:00 was used up in epoch 3 of 4 of stage 'teacher' of the teacher, after 00:02:00 of training. The teacher trains before the student, in the same time, " +
            "and one that is only partly trained is not used: raise MaxTrainingTime, or give the teacher fewer epochs."));
    }

    [Test]
    public void A_student_without_a_single_step_cannot_be_returned()
    {
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 2)) with
        {
            Clock = _clock,
            MaxTrainingTime = TimeSpan.FromMinutes(2),
            MinimumTeacherAccuracy = 0,
            Progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(1))),
        };
        Assert.That(() => _context.Fit(options, _view), Throws.TypeOf<TrainingTimeoutException>().With.Message.Contains(
            "epoch 1 of 6 of stage 'KD' of the student, after 00:02:00 of training. The network has taken no step, so there is nothing to return. Raise MaxTrainingTime"));
    }

    [Test]
    public void A_student_alone_for_which_no_time_is_left_is_left_out()
    {
        var options = Rows.Quick(Teacher.FromTransformer(_context.Regression().Fit(_view))) with
        {
            CompareAlone = true,
            Clock = _clock,
            MaxTrainingTime = TimeSpan.FromMinutes(8),
            Progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(1))),
        };
        var model = _context.Fit(options, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.History, Has.Count.EqualTo(6));
            Assert.That((model.Alone, model.Comparison), Is.EqualTo(((DistillationTransformer?)null, (DistillationPayoff?)null)));
            Assert.That(model.Model.Warnings, Has.One.EqualTo(
                "MaxTrainingTime of 00:08:00 was used up before the student alone was trained, so the distilled one is returned without it: Alone and Comparison are null."));
        });
    }

    [Test]
    public void A_search_has_a_limit_of_its_own() => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromTransformer(_context.Regression().Fit(_view))) with { MaxTrainingTime = TimeSpan.FromHours(1) }).Search(_view),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "MaxTrainingTime is for a fit, and a search compares many trainings at equal steps. Leave it null; SearchOptions.TimeLimit limits a search."));

    [Test]
    public void A_student_of_embeddings_has_a_limit_too()
    {
        var progress = new RowsProgress(_ => _clock.Advance(TimeSpan.FromMinutes(1)));
        var model = _context.Transforms.DistillEmbedding(new EmbeddingOptions
        {
            Teacher = EmbeddingTeacher.FromColumn("Features"),
            Student = NetworkSpec.Mlp(8),
            Epochs = 6,
            Seed = 1,
            Clock = _clock,
            MaxTrainingTime = TimeSpan.FromMinutes(2),
            Progress = progress,
        }).Fit(_view);
        Assert.That(progress.Reports, Has.Count.EqualTo(2));
        Assert.That(model.Model.Warnings, Has.One.Contains("because MaxTrainingTime is 00:02:00; it is returned with its last weights."));
    }

    /// <summary>A clock whose timestamps only <see cref="Advance"/> moves; the date jumps by a year at each look.</summary>
    private sealed class Clock : TimeProvider
    {
        private TimeSpan _now;
        private int _looks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => _now += time;

        public override long GetTimestamp() => _now.Ticks;

        public override DateTimeOffset GetUtcNow() => new DateTime(2030 + _looks++, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    }
}
