using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Evaluation.Report;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>What a fit warns of has one home: the log, the student and the report say the same.</summary>
public sealed class WarningTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void What_was_warned_of_is_in_the_log_the_preflight_and_the_student()
    {
        var rows = Rows.Points();
        rows[7].Features[2] = float.NaN;
        var view = _context.Keyed(rows);
        // A schedule longer than the epochs is known beforehand, rows left out are found while reading.
        var options = Rows.Quick() with { MissingFeatures = MissingFeatures.Drop, Schedule = LearningRateSchedule.Step([2, 90]) };
        var preflight = _context.MulticlassClassification.Trainers.Distill(options).Preflight(view);
        var log = new RowsLog(_context);

        var student = _context.Fit(options, view).Model;

        Assert.Multiple(() =>
        {
            Assert.That(student.Warnings, Has.Some.StartsWith("Left out of the training data: 1 rows").And.Some.StartsWith("Stage 'labels only': "));
            Assert.That(student.Warnings, Is.Unique.And.EqualTo(log.Warnings));
            Assert.That(preflight.Warnings, Is.EqualTo(student.Warnings));
            Assert.That($"{student}", Does.Contain("warning: Left out of the training data: 1 rows"));
        });
    }

    [Test]
    public void A_fit_without_a_warning_has_none() =>
        Assert.That(_context.Fit(Rows.Quick(), _context.Keyed(Rows.Points())).Model.Warnings, Is.Empty);

    [Test]
    public void A_report_lists_the_warnings_among_its_problems()
    {
        var sample = ReportSamples.Letters();
        var report = sample with { Student = sample.Student with { Warnings = ["The batch is <large>."] } };

        var html = report.ToHtml();

        Assert.Multiple(() =>
        {
            Assert.That(html[html.IndexOf("id=\"problems\"", StringComparison.Ordinal)..], Does.Contain("Warnings from training").And.Contains("The batch is &lt;large&gt;."));
            Assert.That(report.Verdict, Has.Some.EqualTo("Training the student gave 1 warning: see “Problems”."));
            Assert.That(report.ToJson(), Does.Contain("\"warnings\": [\n"));
            Assert.That(sample.ToHtml(), Does.Not.Contain("Warnings from training"));
        });
    }
}
