using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation.Report;

public sealed class ReportVerdictTests
{
    [Test]
    public void It_says_what_is_kept_of_the_teachers_accuracy_with_both_intervals()
    {
        var verdict = CreateVerdict(student: new(0.90, 0.88, 0.92), teacher: new(0.96, 0.95, 0.97));

        Assert.That(verdict, Has.Some.EqualTo(
            "The student is less accurate than its teacher: it is correct on 90.00 % (88.00 to 92.00) of 5,000 rows and the teacher on " +
            "96.00 % (95.00 to 97.00), so it keeps 93.75 % of the teacher's accuracy."));
    }

    [Test]
    public void It_claims_no_difference_in_accuracy_where_intervals_overlap() =>
        Assert.That(
            CreateVerdict(student: new(0.94, 0.92, 0.96), teacher: new(0.96, 0.95, 0.97)),
            Has.Some.StartsWith("No difference in accuracy between student and teacher is shown: the student is correct on 94.00 % (92.00 to 96.00) of"));

    [Test]
    public void It_says_so_when_the_student_is_more_accurate_than_its_teacher() =>
        Assert.That(
            CreateVerdict(student: new(0.96, 0.95, 0.97), teacher: new(0.90, 0.88, 0.92)),
            Has.Some.StartsWith("The student is more accurate than its teacher: ").And.Some.EndsWith("so it reaches 106.67 % of the teacher's accuracy."));

    [Test]
    public void It_warns_of_a_student_that_is_as_accurate_and_answers_otherwise() =>
        Assert.That(
            CreateVerdict(student: new(0.955, 0.95, 0.97), teacher: new(0.96, 0.95, 0.97), agreement: new(0.91, 0.9, 0.92)),
            Has.Some.Contains("another class on 9.00 %, although their accuracies are only 0.50 points apart").And.Some.Contains("Stanton et al. 2021"));

    [Test]
    public void It_does_not_warn_where_what_differs_is_what_was_lost() =>
        Assert.That(CreateVerdict(student: new(0.90, 0.88, 0.92), teacher: new(0.96, 0.95, 0.97), agreement: new(0.93, 0.92, 0.94)),
            Has.Some.EndsWith("of the rows, and another class on 7.00 %."));

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
            "Did distilling pay, compared with the same student trained on labels alone? By accuracy, not shown: 91.00 % (90.00 to 93.00) and " +
            "90.00 % (89.00 to 92.00) overlap; "));
    }

    [Test]
    public void A_difference_row_by_row_decides_where_there_is_one()
    {
        var report = ReportSamples.Letters() with { AccuracyOverAlone = new(0.012, 0.004, 0.02), AgreementOverAlone = new(0.001, -0.003, 0.004) };

        Assert.That(report.Verdict.Single(s => s.Contains("alone", StringComparison.Ordinal)), Is.EqualTo(
            "Did distilling pay, compared with the same student trained on labels alone? By accuracy, yes: 1.20 points (0.40 to 2.00) more; " +
            "by agreement with the teacher, not shown: +0.10 points (−0.30 to +0.40)."));
    }

    [Test]
    public void A_loss_is_told_without_a_sign_and_a_small_difference_with_its_digits()
    {
        var report = ReportSamples.Letters() with { AccuracyOverAlone = new(-0.009, -0.013, -0.005), AgreementOverAlone = new(0.0007, 0.0002, 0.0012) };

        Assert.That(report.Verdict, Has.Some.EqualTo(
            "Did distilling pay, compared with the same student trained on labels alone? By accuracy, no: 0.90 points (0.50 to 1.30) less; " +
            "by agreement with the teacher, yes: 0.07 points (0.02 to 0.12) more."));
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
    public void Criteria_that_are_not_met_come_right_after_the_question_whether_distilling_paid()
    {
        var report = ReportSamples.Letters();
        var acceptance = new AcceptanceResult(
            [new("MinimumAccuracy", true, 0.9, 0.95, "fine"), new("MinimumAgreement", false, 0.99, 0.9, "too little agreement")]);

        var verdict = (report with { Acceptance = acceptance }).Verdict;

        Assert.That(verdict[0], Does.StartWith("Did distilling pay, "));
        Assert.That(verdict.Skip(1).Take(2), Is.EqualTo(new[] { "Not accepted: 1 of 2 criteria is not met.", "too little agreement" }));
    }

    [Test]
    public void The_cost_stands_beside_the_teachers() =>
        Assert.That(ReportSamples.Letters().Verdict, Has.Some.EqualTo(
            "Compared with its teacher, the student is 30 times faster (31.2 µs instead of 940 µs for one row) and " +
            "200 times smaller (63.0 KiB instead of 12.3 MiB)."));

    [Test]
    public void A_student_that_costs_as_much_as_its_teacher_is_about_as_fast_and_as_large()
    {
        var report = ReportSamples.Letters();

        Assert.That((report with { Teacher = report.Teacher with { Cost = report.Student.Cost } }).Verdict, Has.Some.StartsWith(
            "Compared with its teacher, the student is about as fast (31.2 µs instead of 31.2 µs for one row) and about as large "));
    }

    [Test]
    public void A_teacher_whose_cost_was_not_measured_is_not_compared()
    {
        var report = ReportSamples.Letters();

        Assert.That((report with { Teacher = report.Teacher with { Cost = null } }).Verdict, Has.Some.EqualTo(
            "The student takes 31.2 µs for one row and its file has 63.0 KiB; time and size of the teacher were not measured."));
    }

    [Test]
    public void What_was_not_measured_is_named() =>
        Assert.That(ReportSamples.Minimal().Verdict, Is.EqualTo(new[]
        {
            "The student predicts the same class as its teacher on 96.00 % of 50 rows; no row has a label, so accuracy and calibration are unknown.",
            "The same student was not trained without a teacher, so it is unknown what distillation added.",
            "Time and size of the student were not measured.",
            "The student predicts the same class as its teacher on 96.00 % of the rows, and another class on 4.00 %.",
        }));

    [TestCase(1, "The class 'A' loses most: of 1 row, the teacher is correct on 100.00 % and the student on 0.00 %. These are few rows to judge by.")]
    [TestCase(40, "The class 'A' loses most: of 40 rows, the teacher is correct on 100.00 % and the student on 0.00 %.")]
    public void The_class_that_loses_most_is_named_with_its_rows(long rows, string sentence)
    {
        var report = ReportSamples.Letters();
        var worst = report.Metrics.PerClass[0] with { Rows = rows, TeacherCorrect = rows, StudentCorrect = 0 };

        Assert.That((report with { Metrics = report.Metrics with { WorstRegressions = [worst] } }).Verdict, Has.Some.EqualTo(sentence));
    }

    [Test]
    public void A_warning_of_the_training_is_counted_before_anything_else_without_a_student_alone()
    {
        var report = ReportSamples.All["no-alone"]() with { Acceptance = null };

        Assert.That(
            (report with { Student = report.Student with { Warnings = ["The loss rose."] } }).Verdict[0], Is.EqualTo("Training the student gave 1 warning: see “Problems”."));
    }

    private static IReadOnlyList<string> CreateVerdict(Estimate student, Estimate teacher, Estimate? agreement = null)
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
