using MlNetDistill.Evaluation;


namespace MlNetDistill.Tests.Evaluation.Report;

public sealed class ReportVerdictTests
{
    [Test]
    public void It_says_what_is_kept_of_the_teachers_accuracy_with_both_intervals()
    {
        var verdict = Of(student: new(0.90, 0.88, 0.92), teacher: new(0.96, 0.95, 0.97));

        Assert.That(verdict, Has.Some.EqualTo(
            "The student keeps 93.75 % of its teacher's accuracy: 90.00 % (88.00 to 92.00) of 5,000 rows labelled rightly, " +
            "the teacher 96.00 % (95.00 to 97.00). The intervals lie apart."));
    }

    [Test]
    public void It_claims_no_difference_in_accuracy_where_intervals_overlap() =>
        Assert.That(
            Of(student: new(0.94, 0.92, 0.96), teacher: new(0.96, 0.95, 0.97)),
            Has.Some.EndsWith("The intervals overlap, so they do not show a difference in accuracy."));

    [Test]
    public void It_warns_of_a_student_that_is_as_accurate_and_answers_otherwise() =>
        Assert.That(
            Of(student: new(0.955, 0.95, 0.97), teacher: new(0.96, 0.95, 0.97), agreement: new(0.91, 0.9, 0.92)),
            Has.Some.Contains("The two answer differently on 9.00 % while their accuracies are 0.50 points apart").And.Some.Contains("Stanton et al. 2021"));

    [Test]
    public void It_does_not_warn_where_what_differs_is_what_was_lost() =>
        Assert.That(Of(student: new(0.90, 0.88, 0.92), teacher: new(0.96, 0.95, 0.97), agreement: new(0.93, 0.92, 0.94)),
            Has.Some.EndsWith("The two answer differently on 7.00 %."));

    [Test]
    public void It_shows_no_gain_over_the_student_alone_where_the_intervals_overlap()
    {
        var report = ReportSamples.Letters();
        var alone = report.AloneMetrics! with { Student = report.Metrics.Student! with { Accuracy = new(0.90, 0.89, 0.92) } };

        var verdict = (report with
        {
            AloneMetrics = alone,
            Metrics = report.Metrics with
            {
                Student = report.Metrics.Student! with
                {
                    Accuracy = new(0.91,
            0.90, 0.93)
                }
            }
        }).Verdict;

        Assert.That(verdict, Has.Some.StartsWith(
            "No difference in accuracy from the same student trained alone is shown, 91.00 % (90.00 to 93.00) " +
            "against 90.00 % (89.00 to 92.00): the intervals overlap."));
    }

    [Test]
    public void A_difference_row_by_row_decides_where_there_is_one()
    {
        var report = ReportSamples.Letters() with { AccuracyOverAlone = new(0.012, 0.004, 0.02), AgreementOverAlone = new(0.001, -0.003, 0.004) };

        var sentence = report.Verdict.Single(s => s.Contains("alone", StringComparison.Ordinal));

        Assert.That(sentence, Does.StartWith("Beside the same student trained alone, distillation raises the accuracy by 1.20 points (0.40 to 2.00): "));
        Assert.That(
            sentence, Does.Contain("No difference in agreement with the teacher from the same student trained alone is shown, +0.10 points (−0.30 to +0.40)"));
    }

    [Test]
    public void A_loss_is_told_without_a_sign_and_a_small_difference_with_its_digits()
    {
        var report = ReportSamples.Letters() with { AccuracyOverAlone = new(-0.009, -0.013, -0.005), AgreementOverAlone = new(0.0007, 0.0002, 0.0012) };

        Assert.That(report.Verdict, Has.Some.Contains("distillation lowers the accuracy by 0.90 points (0.50 to 1.30): ")
            .And.Contains("distillation raises the agreement with the teacher by 0.07 points (0.02 to 0.12): "));
    }

    [TestCase(0.92, 0.90, "points to optimisation")]
    [TestCase(0.99, 0.90, "points to generalisation")]
    [TestCase(0.91, 0.90, "points to optimisation")]
    public void Where_disagreement_begins_is_a_pointer_to_its_cause(double training, double test, string pointer)
    {
        var report = ReportSamples.Letters();
        var verdict = (report with
        {
            TrainingMetrics = report.TrainingMetrics! with { Agreement = new(training, training - 0.01, training + 0.005) },
            Metrics = report.Metrics with { Agreement = new(test, test - 0.01, test + 0.01) },
        }).Verdict;

        Assert.That(verdict, Has.Some.Contains(pointer).And.Some.Contains("our reading of Stanton et al. 2021"));
    }

    [Test]
    public void Criteria_that_are_not_met_come_first()
    {
        var report = ReportSamples.Letters();
        var acceptance = new AcceptanceResult(
            [new("MinimumAccuracy", true, 0.9, 0.95, "fine"), new("MinimumAgreement", false, 0.99, 0.9, "too little agreement")]);

        var verdict = (report with { Acceptance = acceptance }).Verdict;

        Assert.That(verdict.Take(2), Is.EqualTo(new[] { "Not accepted: 1 of 2 criteria is not met.", "too little agreement" }));
    }

    [Test]
    public void Speed_and_size_are_told_beside_the_teachers() =>
        Assert.That(ReportSamples.Letters().Verdict[^1], Is.EqualTo(
            "A row takes the student 31.2 µs (median, through a PredictionEngine), and its file has 63.0 KiB; the teacher takes 940 µs and 12.3 MiB. " +
            "The student is 30 times faster and 200 times smaller."));

    [Test]
    public void Of_rows_without_labels_and_models_without_costs_it_speaks_of_agreement_alone() =>
        Assert.That(
            ReportSamples.Minimal().Verdict,
            Has.Count.EqualTo(2).And.Some.StartsWith("None of the 50 rows has a label").And.Some.StartsWith("The student names the same class"));

    private static IReadOnlyList<string> Of(Estimate student, Estimate teacher, Estimate? agreement = null)
    {
        var report = ReportSamples.Letters();
        var metrics = report.Metrics;
        return (report with
        {
            Metrics = metrics with
            {
                Agreement = agreement ?? metrics.Agreement,
                Teacher = metrics.Teacher! with { Accuracy = teacher },
                Student = metrics.Student! with { Accuracy = student },
            },
        }).Verdict;
    }
}
