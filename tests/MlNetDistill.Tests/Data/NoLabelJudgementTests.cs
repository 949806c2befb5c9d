using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows without any label: what is said of a student, and which of its epochs is the best.</summary>
public sealed class NoLabelJudgementTests : WithoutLabels
{
    [Test]
    public void Held_out_rows_are_judged_by_agreement_with_the_teacher()
    {
        var model = Context.Fit(Options() with { ValidationFraction = 0.25, EarlyStopping = new EarlyStopping(3), Epochs = 8 }, View);
        var history = model.Model.History;
        Assert.Multiple(() =>
        {
            Assert.That(history.Select(epoch => epoch.Validation?.Measure), Has.All.EqualTo("agreement"));
            Assert.That(history.Select(epoch => epoch.Validation?.Quality), Has.All.InRange(0, 1));
            Assert.That(history.Select(epoch => epoch.Validation?.Loss), Has.All.InRange(0, 10));
            Assert.That($"{history[^1]}", Does.Contain("validation agreement"));
        });
    }

    [Test]
    public void The_best_epoch_is_that_of_the_best_agreement()
    {
        foreach (var (row, i) in UnlabelledRows.Select((row, i) => (row, i)))
            row.Held = i % 4 == 0;
        var view = Context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(Context.Data.LoadFromEnumerable(Rows.Points(3)))
            .Transform(Context.Data.LoadFromEnumerable(UnlabelledRows));
        var model = Context.Fit(Options() with { ValidationColumnName = "Held", Epochs = 8, Optimizer = Optimizer.AdamW(0.1), Schedule = LearningRateSchedule.Constant() }, view);
        var held = Context.Data.FilterByCustomPredicate<Flag>(view, row => !row.Held);
        Assert.That(AgreementWithRegression(model, held), Is.EqualTo(model.Model.History.Max(epoch => epoch.Validation!.Quality)).Within(1e-9));
    }

    [Test]
    public void Labels_of_held_out_rows_alone_judge_the_student_that_learns_from_the_teacher()
    {
        foreach (var (row, i) in Rows.Points().Select((row, i) => (row, i)))
            (UnlabelledRows[i].Held, UnlabelledRows[i].Label) = (i % 4 == 0, i % 4 == 0 ? row.Label : "unknown");
        var view = Context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(Context.Data.LoadFromEnumerable(Rows.Points(3)))
            .Transform(Context.Data.LoadFromEnumerable(UnlabelledRows));
        var model = Context.Fit(Options() with { Method = DistillationMethod.Kd(), ValidationColumnName = "Held" }, view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.History[^1].Validation?.Quality, Is.GreaterThan(0.9));
            Assert.That(model.Model.History[^1].Validation?.Measure, Is.EqualTo("accuracy"));
            Assert.That(model.Model.Notes, Has.One.EqualTo("No row trained on has a label that counts: the student learns from the teacher alone."));
            Assert.That(model.Model.Warnings, Is.EqualTo(new[] { "No row trained on has a label that counts, so terms over labels are left out: crossEntropy (weight 0.5)." }));
        });
    }

    [Test]
    public void A_separate_view_without_labels_is_judged_by_a_teacher_that_can_answer_for_it()
    {
        using var module = TorchSharp.torch.nn.Linear(4, 3);
        var options = Options() with
        {
            Teacher = Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: ScoreKind.Logits),
            LabelColumnName = null,
            ValidationData = Context.Data.LoadFromEnumerable(Rows.Points(60, seed: 9).Select(row => new Unnamed { Features = row.Features })),
        };
        var view = Context.Data.LoadFromEnumerable(UnlabelledRows.Select(row => new Unnamed { Features = row.Features }));
        Assert.Multiple(() =>
        {
            Assert.That(Context.Fit(options, view).Model.History.Select(epoch => epoch.Validation?.Quality), Has.All.InRange(0, 1));
            Assert.That(() => Context.Fit(options with { Teacher = TeacherWithout() }, view), Throws.InvalidOperationException.With.Message.Contains(
                "has outputs for the training data only. Hold rows of these out with ValidationFraction or ValidationColumnName, or give labelled rows."));
        });
    }

    [Test]
    public void Log_and_preflight_say_that_there_are_no_labels()
    {
        var log = new RowsLog(Context);
        Context.Fit(Options() with { Epochs = 1, ValidationFraction = 0.25 }, View);
        var report = Context.MulticlassClassification.Trainers.Distill(Options()).Preflight(View);
        Assert.Multiple(() =>
        {
            Assert.That(log.Lines, Has.Some.EqualTo("No row trained on has a label that counts: the student learns from the teacher alone."));
            Assert.That(log.Lines, Has.Some.EqualTo("Held-out rows have no labels either: agreement with the teacher is reported instead of accuracy."));
            Assert.That(log.Lines, Has.Some.Contains("On 240 training rows it predicts 3 of 3 classes, with a mean confidence of 0."));
            Assert.That(log.Lines, Has.None.Contains("NaN"));
            Assert.That(report.LabelledRows, Is.Zero);
            Assert.That(report.Teacher!.Accuracy, Is.Null);
            Assert.That($"{report}", Does.Contain("3 classes, no labels; training on 240").And.Contains("no labels to compare it with").And.Not.Contain("NaN"));
        });
    }

    [Test]
    public void A_teacher_that_always_names_one_class_is_warned_of()
    {
        var log = new RowsLog(Context);
        Context.Fit(Options() with { Teacher = Context.Saying(View, _ => [0.1f, 0.8f, 0.1f]), Epochs = 1 }, View);
        Assert.That(log.Warnings, Has.Some.StartsWith("The teacher predicts the class 'birch' for every one of 240 rows."));
    }

    [Test]
    public void Evaluation_and_report_say_that_there_are_no_labels()
    {
        var model = Context.Fit(Options() with { ValidationFraction = 0.25 }, View);
        var report = DistillationReport.Create(Context, new ReportInput
        {
            Title = "Unlabelled",
            Test = Others,
            Training = View,
            Teacher = Regression,
            Student = model,
            LabelColumnName = null,
            Criteria = new AcceptanceCriteria { MinimumAgreement = 0.9 },
        });
        var html = report.ToHtml();
        Assert.Multiple(() =>
        {
            Assert.That(report.Metrics.Student, Is.Null);
            Assert.That(report.Acceptance!.Passed, Is.True, $"{report.Acceptance}");
            Assert.That($"{report.Metrics}", Does.StartWith("240 rows, no labels, 3 classes").And.Not.Contain("Accuracy").And.Not.Contain("NaN"));
            Assert.That(report.Verdict[1], Does.Match(@"^The student predicts the same class as its teacher on 100\.00 % \(98\.\d\d to 100\.00\) of 240 rows; no row has a label, so accuracy and calibration are unknown\.$"));
            Assert.That(html, Does.Contain("agreement on held-out rows").And.Not.Contain("NaN"));
            Assert.That(
                () => new AcceptanceCriteria { MinimumAccuracyRetention = 0.9 }.Judge(report.Metrics),
                Throws.InvalidOperationException.With.Message.Contains("use MinimumAgreement or MaximumDivergence instead"));
        });
    }
}
