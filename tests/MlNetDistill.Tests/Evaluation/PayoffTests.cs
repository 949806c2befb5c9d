using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation;

public sealed class PayoffTests
{
    [TestCase(0.012, 0.004, 0.02, PayoffAnswer.Yes, "By accuracy, yes: 1.20 points (0.40 to 2.00) more; ")]
    [TestCase(-0.009, -0.013, -0.005, PayoffAnswer.No, "By accuracy, no: 0.90 points (0.50 to 1.30) less; ")]
    [TestCase(0.001, -0.003, 0.004, PayoffAnswer.NotShown, "By accuracy, not shown: +0.10 points (−0.30 to +0.40); ")]
    [TestCase(0.001, 0, 0.004, PayoffAnswer.NotShown, "By accuracy, not shown: +0.10 points (0.00 to +0.40); ")]
    public void There_are_three_answers_by_the_interval(double value, double lower, double upper, PayoffAnswer answer, string sentence)
    {
        var payoff = Payoff(new(value, lower, upper));
        Assert.That(payoff.ByAccuracy, Is.EqualTo(answer));
        Assert.That(Text(payoff), Does.StartWith($"Did distilling pay, compared with the same student trained on labels alone? {sentence}"));
    }

    [Test]
    public void Rows_that_chose_the_epochs_and_rows_without_labels_are_named()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Text(Payoff(null) with { LabelledRows = 0 }), Does.Contain("By accuracy, unknown: no row has a label; by agreement with the teacher, yes: ").And.Contain("Measured on 500 held-out rows."));
            Assert.That(Text(Payoff(null)), Does.Contain("Measured on 500 held-out rows, 400 of them with a label."));
            Assert.That(Text(Payoff(null)), Does.EndWith("Both students also chose their best epoch on these rows; rows that no choice has seen judge better."));
            Assert.That(Text(Payoff(null) with { ChoseEpochs = false }), Does.Not.Contain("epoch"));
        });
    }

    private static string Text(DistillationPayoff payoff) => $"{payoff}".ReplaceLineEndings(" ");

    private static DistillationPayoff Payoff(Estimate? accuracy) => new()
    {
        Rows = 500,
        LabelledRows = 400,
        DistilledAccuracy = 0.9,
        AloneAccuracy = 0.89,
        Accuracy = accuracy,
        Agreement = new(0.02, 0.01, 0.03),
        TeacherAccuracyOverAlone = accuracy,
        ChoseEpochs = true,
    };
}
