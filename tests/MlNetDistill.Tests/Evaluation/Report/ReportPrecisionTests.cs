using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Evaluation.Report;

/// <summary>The student of a report in other precisions.</summary>
public sealed class ReportPrecisionTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void The_student_in_other_precisions_is_compared_with_the_teacher_and_the_trained_student()
    {
        var (rows, test) = (_mlContext.View(ToyData.Points()), _mlContext.View(ToyData.Points(200, seed: 3)));
        var teacher = _mlContext.TeacherPipeline().Fit(rows);
        var model = _mlContext.Pipeline(ToyPipelines.Options(NetworkSpec.Mlp(32)) with { Epochs = 2 }).Fit(rows);
        var stored = model.WithPrecision(StudentPrecision.Int8, new PrecisionOptions { Calibration = rows, Test = test });
        var cost = ReportSamples.Letters().Student.Cost;

        var report = DistillationReport.Create(_mlContext, new ReportInput
        {
            Title = "Points",
            Test = test,
            Student = model,
            Teacher = teacher,
            LabelColumnName = "Class",
            Precisions = [new(stored, cost)],
        });

        var found = report.Precisions.Single();
        Assert.Multiple(() =>
        {
            Assert.That((found.Precision, found.Model.Name, found.Model.Kind, found.Model.Cost), Is.EqualTo((StudentPrecision.Int8, "Student, Int8", "MLP 32", cost)));
            Assert.That(found.Agreement.Value, Is.EqualTo(stored.FindStudent().Precision!.Agreement));
            Assert.That(found.Metrics.Student!.Accuracy.Value, Is.EqualTo(stored.FindStudent().Precision!.Accuracy));
            Assert.That(found.Metrics.Agreement.Value, Is.EqualTo(
                _mlContext.MulticlassClassification.EvaluateDistillation(test, teacher, stored, "Class").Agreement.Value));
            Assert.That(found.Model.Hash, Is.Not.EqualTo(report.Student.Hash).And.Length.EqualTo(64));
            Assert.That($"{found}", Does.Contain("Student, Int8").And.Contain("the class of the trained student on"));
        });
    }

    [Test]
    public void A_sentence_names_what_each_precision_costs()
    {
        var report = ReportSamples.Precisions();
        var before = report.Metrics.Student!.Accuracy.Value;

        var sentences = report.Verdict.Where(sentence => sentence.StartsWith("In ", StringComparison.Ordinal)).ToList();

        Assert.That(sentences, Has.Count.EqualTo(2));
        Assert.That(sentences[1], Is.EqualTo(FormattableString.Invariant(
            $"In Int8, the student predicts the class of the trained student on 98.76 % (98.40 to 99.10) of the test rows, and its accuracy is {100 * report.Precisions[1].Metrics.Student!.Accuracy.Value:0.00} % ")
            + FormattableString.Invariant($"instead of {100 * before:0.00} %. Its file has 19.0 KiB instead of 63.0 KiB, and one row takes 28.6 µs instead of 31.2 µs.")));
    }

    [Test]
    public void Without_costs_and_labels_the_sentence_has_the_agreement_alone()
    {
        var report = ReportSamples.Precisions();
        var precision = report.Precisions[1] with { Metrics = ReportSamples.Minimal().Metrics, Model = report.Precisions[1].Model with { Cost = null } };
        Assert.That((report with { Precisions = [precision] }).Verdict, Has.Some.EqualTo(
            "In Int8, the student predicts the class of the trained student on 98.76 % (98.40 to 99.10) of the test rows."));
    }

    [Test]
    public void The_charts_of_size_and_time_have_a_mark_for_each_precision()
    {
        var html = ReportSamples.Precisions().ToHtml();
        foreach (var chart in new[] { "summary-size", "summary-time" })
        {
            var start = html.IndexOf($"aria-labelledby=\"{chart}-title", StringComparison.Ordinal);
            var svg = html[start..html.IndexOf("</svg>", start, StringComparison.Ordinal)];
            Assert.That(svg, Does.Contain("mark float16").And.Contain("mark int8"), chart);
        }
    }

    [Test]
    public void JSON_has_the_precisions()
    {
        var report = ReportSamples.Precisions();
        var found = JsonDocument.Parse(report.ToJson()).RootElement.GetProperty("precisions");
        Assert.That(found.EnumerateArray().Select(p => p.GetProperty("precision").GetString()), Is.EqualTo(new[] { "Float16", "Int8" }));
        Assert.That(found[1].GetProperty("agreement").Deserialize<Estimate>(JsonSerializerOptions.Web), Is.EqualTo(report.Precisions[1].Agreement));
    }

    [Test]
    public void A_model_that_is_not_the_student_in_another_precision_is_refused()
    {
        var rows = _mlContext.View(ToyData.Points());
        var test = _mlContext.View(ToyData.Points(60, seed: 3));
        var other = _mlContext.FitPoints().WithPrecision(StudentPrecision.Float16, new PrecisionOptions { Test = test });
        Assert.That(Message(ToyModels.Points), Does.StartWith("Precisions[0] of the ReportInput must be what WithPrecision returned"));
        Assert.That(Message(other), Does.StartWith("Precisions[0] of the ReportInput was made of another student than its Student."));
        Assert.That(Message(null!), Does.StartWith("Precisions[0] of the ReportInput must have a Model; it is null."));

        string Message(ITransformer model) => Assert.Throws<ArgumentException>(() => DistillationReport.Create(_mlContext, new ReportInput
        {
            Title = "Points",
            Test = test,
            Student = ToyModels.Points,
            Teacher = _mlContext.TeacherPipeline().Fit(rows),
            LabelColumnName = "Class",
            Precisions = [new(model)],
        }))!.Message;
    }
}
