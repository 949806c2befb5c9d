using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>The student alone, trained beside the distilled one, and the answer to whether distilling paid.</summary>
public sealed class CompareAloneTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public CompareAloneTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void The_student_alone_is_that_of_a_fit_on_labels_bit_for_bit()
    {
        var options = Options() with { ValidationFraction = 0.25 };
        var model = _context.Fit(options with { CompareAlone = true }, _view);
        var labelsOnly = _context.Fit(options with { Teacher = null, Method = DistillationMethod.LabelsOnly() }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Alone!.Scores(_view), Is.EqualTo(labelsOnly.Scores(_view)));
            Assert.That(model.Scores(_view), Is.EqualTo(_context.Fit(options, _view).Scores(_view)), "the distilled student is the same with and without");
            Assert.That(model.Alone!.Model.History.Select(e => e.Losses.Values.Single()), Is.EqualTo(labelsOnly.Model.History.Select(e => e.Losses.Values.Single())));
            Assert.That((model.Alone!.Alone, model.Alone.Teacher, model.Alone.Comparison), Is.EqualTo(((DistillationTransformer?)null, (ITransformer?)null, (DistillationPayoff?)null)));
            Assert.That(model.Alone.Model.Method, Is.EqualTo("labels only"));
        });
    }

    [Test]
    public void A_student_of_targets_that_ask_no_teacher_is_compared_with_one_of_the_labels_too()
    {
        var options = Options() with { Teacher = null, Method = DistillationMethod.PartialKd(TeacherTargets.Smoothed(0.3), 1, 1), ValidationFraction = 0.25, CompareAlone = true };
        var model = _context.Fit(options, _view);
        var labelsOnly = _context.Fit(options with { Method = DistillationMethod.LabelsOnly(), CompareAlone = false }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Alone!.Scores(_view), Is.EqualTo(labelsOnly.Scores(_view)));
            Assert.That(model.Scores(_view), Is.Not.EqualTo(labelsOnly.Scores(_view)));
            Assert.That(model.Comparison!.Accuracy, Is.Not.Null);
            Assert.That(_context.MulticlassClassification.Trainers.Distill(options).Preflight(_view).Alone, Is.Not.Null);
        });
    }

    [Test]
    public void Without_the_option_there_is_none()
    {
        var model = _context.Fit(Options(), _view);
        Assert.That((model.Alone, model.Comparison), Is.EqualTo(((DistillationTransformer?)null, (DistillationPayoff?)null)));
    }

    [Test]
    public void The_comparison_is_that_of_the_evaluation_of_the_held_out_rows()
    {
        var rows = Rows.Points();
        foreach (var (i, row) in rows.Index())
            row.Held = i % 4 == 1;
        var view = _context.Keyed(rows);
        var teacher = _context.Says(view, RowsTeachers.Rule);
        var model = _context.Fit(
            Options(Teacher.FromTransformer(teacher, classNames: Rows.Classes)) with { CompareAlone = true, ValidationColumnName = "Held", MinimumTeacherAccuracy = 0, Epochs = 40, Student = NetworkSpec.Mlp(32), Method = DistillationMethod.Kd(temperature: 1, alpha: 1) }, view);
        var held = _context.Data.FilterByCustomPredicate<Point>(view, row => !row.Held);
        var (distilled, alone, labels) = (model.Predictions(held), model.Alone!.Predictions(held), rows.Where(r => r.Held).Select(r => Array.IndexOf(Rows.Classes, r.Label)).ToArray());
        var rule = rows.Where(r => r.Held).Select(RowsTeachers.RuleClass).ToArray();
        var found = model.Comparison!;
        Assert.Multiple(() =>
        {
            Assert.That((found.Rows, found.LabelledRows, found.ChoseEpochs), Is.EqualTo((60, 60, true)));
            Assert.That(found.Accuracy!.Value.Value, Is.EqualTo(Rows.Agreement(distilled, labels) - Rows.Agreement(alone, labels)).Within(1e-12));
            Assert.That(found.Agreement!.Value.Value, Is.EqualTo(Rows.Agreement(distilled, rule) - Rows.Agreement(alone, rule)).Within(1e-12));
            Assert.That(found.TeacherAccuracyOverAlone!.Value.Value, Is.EqualTo(Rows.Agreement(rule, labels) - Rows.Agreement(alone, labels)).Within(1e-12));
            Assert.That(found.DistilledAccuracy, Is.EqualTo(Rows.Agreement(distilled, labels)).Within(1e-12));
            Assert.That(found.AloneAccuracy, Is.EqualTo(Rows.Agreement(alone, labels)).Within(1e-12));
            // A teacher that knows nothing of the labels makes its student worse by them.
            Assert.That(found.ByAccuracy, Is.EqualTo(PayoffAnswer.No));
            Assert.That(model.Model.Notes, Has.Some.StartsWith("Did distilling pay, compared with the same student trained on labels alone? By accuracy, no: "));
            Assert.That(model.Model.Warnings, Has.Some.StartsWith("The teacher is hardly better than the same student trained on labels alone: on 60 held-out rows with a label its accuracy differs by −"));
        });
    }

    [Test]
    public void Without_held_out_rows_a_note_says_how_to_compare()
    {
        var model = _context.Fit(Options() with { CompareAlone = true }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Alone, Is.Not.Null);
            Assert.That(model.Comparison, Is.Null);
            Assert.That(model.Model.Notes, Has.One.EqualTo(
                "The student alone (CompareAlone) was trained, but there are no held-out rows to compare the two by. Set ValidationFraction, ValidationColumnName or " +
                "ValidationData; or give both to a DistillationReport with test rows."));
        });
    }

    [Test]
    public void With_rows_without_labels_it_has_as_many_steps_and_epochs_on_those_with_one()
    {
        var rows = Rows.Points();
        var labelled = rows.Where((_, i) => i % 5 == 0).ToArray();
        foreach (var row in rows.Except(labelled))
            row.Label = "";
        var view = Unlabelled(rows);
        var model = _context.Fit(Options(_context.Saying(_view, RowsTeachers.Rule)) with { CompareAlone = true, MissingLabels = MissingLabels.TeacherOnly, MinimumTeacherAccuracy = 0 }, view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Alone!.Model.History, Has.Count.EqualTo(model.Model.History.Count));
            Assert.That(model.Alone.Model.Notes, Has.Some.EqualTo("Trained on 48 labelled rows alone in as many steps as the distilled student, 90, in 6 epochs."));
            Assert.That(model.Alone.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.85));
        });
    }

    [Test]
    public void A_method_of_several_stages_is_compared_with_as_many_steps()
    {
        var model = _context.Fit(
            Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16, 12))) with { Student = NetworkSpec.Mlp(8, 8), Method = DistillationMethod.Sskd(), Epochs = 9, CompareAlone = true }, _view);
        Assert.That(model.Alone!.Model.History, Has.Count.EqualTo(model.Model.History.Count));
    }

    [Test]
    public void Separate_rows_that_the_teacher_cannot_score_compare_accuracy()
    {
        var model = _context.Fit(Options() with { CompareAlone = true, ValidationData = _context.Keyed(Rows.Points(90, seed: 9)) }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Comparison!.Rows, Is.EqualTo(90));
            Assert.That(model.Comparison.Accuracy, Is.Not.Null);
            Assert.That((model.Comparison.Agreement, model.Comparison.ByAgreement), Is.EqualTo(((Estimate?)null, (PayoffAnswer?)null)));
            Assert.That($"{model.Comparison}".ReplaceLineEndings(" "), Does.Contain("by agreement with the teacher, unknown: the teacher cannot be asked for these rows. Measured on 90 held-out rows."));
        });
    }

    [Test]
    public void Labels_that_do_not_count_are_refused() => Assert.That(
        () => _context.Fit(Options(_context.Saying(_view, RowsTeachers.Rule)) with { CompareAlone = true, MissingLabels = MissingLabels.TeacherOnly }, Unlabelled(Rows.Points().Select(r =>
        {
            r.Label = "";
            return r;
        }))),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "CompareAlone trains the student on labels alone as well, and no row trained on has a label that counts. Give labelled rows, or leave CompareAlone false."));

    [Test]
    public void A_cancelled_fit_returns_the_distilled_student_without_the_other()
    {
        using var cancel = new CancellationTokenSource();
        var progress = new RowsProgress();
        var model = _context.Fit(
            Options() with { CompareAlone = true, CancellationToken = cancel.Token, OnCancellation = CancellationBehavior.ReturnBest, Progress = new Cancelling(cancel, after: 8) }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.History, Has.Count.EqualTo(6));
            Assert.That((model.Alone, model.Comparison), Is.EqualTo(((DistillationTransformer?)null, (DistillationPayoff?)null)));
            Assert.That(model.Model.Warnings, Has.Some.EqualTo(
                "Training was cancelled before the student alone was trained, so the distilled one is returned without it: Alone and Comparison are null."));
        });
    }

    [Test]
    public void A_pipeline_with_the_student_alone_scores_as_it_does()
    {
        var raw = _context.Data.LoadFromEnumerable(Rows.Points());
        var model = _context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_context.MulticlassClassification.Trainers.Distill(Options(Teacher.Train(NetworkSpec.Mlp(12))) with { CompareAlone = true })).Fit(raw);
        var alone = model.WithStudentAlone();
        Assert.Multiple(() =>
        {
            Assert.That(alone.Scores(raw), Is.EqualTo(model.LastTransformer.Alone!.Scores(model.Transform(raw))).And.Not.EqualTo(model.Scores(raw)));
            Assert.That(() => alone.WithStudentAlone(), Throws.InvalidOperationException.With.Message.EqualTo(
                "The student MLP 8 (score column 'Score') has no student alone beside it. Set CompareAlone in its DistillationOptions and fit again."));
            Assert.That(() => _context.Regression().Fit(raw).WithStudentAlone(), Throws.InvalidOperationException.With.Message.StartsWith("The model contains no student; "));
        });
    }

    [Test]
    public void A_report_answers_in_its_first_sentence_with_the_student_alone_of_the_model()
    {
        var model = _context.Fit(Options() with { CompareAlone = true }, _view);
        var input = new ReportInput { Title = "Points", Test = _context.Keyed(Rows.Points(120, seed: 6)), Teacher = model.Teacher, Student = model, LabelColumnName = "Class" };
        var report = DistillationReport.Create(_context, input);
        var given = DistillationReport.Create(_context, input with { Alone = model.Alone });
        Assert.Multiple(() =>
        {
            Assert.That(report.Verdict[0], Does.StartWith("Did distilling pay, compared with the same student trained on labels alone? By accuracy, "));
            Assert.That(report.Verdict[0], Is.EqualTo(given.Verdict[0]));
            Assert.That(report.AloneMetrics!.Student!.Accuracy.Value, Is.EqualTo(model.Alone!.AccuracyOn(Rows.Points(120, seed: 6), _context.Keyed(Rows.Points(120, seed: 6)))).Within(1e-12));
        });
    }

    private DistillationOptions Options(Teacher? teacher = null) => Rows.Quick(teacher ?? Teacher.FromTransformer(_context.Regression().Fit(_view)));

    /// <summary>Rows whose class is empty have no label.</summary>
    private IDataView Unlabelled(IEnumerable<Point> rows)
    {
        var keys = _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Fit(_context.Data.LoadFromEnumerable(Rows.Points()));
        return keys.Transform(_context.Data.LoadFromEnumerable(rows));
    }

    private sealed class Cancelling(CancellationTokenSource cancel, int after) : IProgress<TrainingProgress>
    {
        private int _epochs;

        public void Report(TrainingProgress value)
        {
            if (++_epochs == after)
                cancel.Cancel();
        }
    }
}
