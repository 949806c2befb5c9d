using MlNetDistill.Core;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>Both students and their teacher on the same rows: what is counted, and how wide the intervals of the differences are.</summary>
public sealed class PairedAnswersTests
{
    // Label, then the classes that the distilled student, the student alone and the teacher predict.
    private static readonly (long? Label, long Distilled, long Alone, long Teacher)[] Five = [(0, 0, 1, 0), (1, 1, 1, 1), (2, 2, 0, 1), (1, 0, 2, 0), (null, 2, 2, 2)];

    [Test]
    public void Accuracies_are_of_rows_with_a_label_and_agreements_of_all_rows()
    {
        var payoff = Compare(Five);
        Assert.Multiple(() =>
        {
            Assert.That((payoff.Rows, payoff.LabelledRows, payoff.ChoseEpochs), Is.EqualTo((5, 4, true)));
            Assert.That((payoff.DistilledAccuracy, payoff.AloneAccuracy), Is.EqualTo((3.0 / 4, 1.0 / 4)));
            Assert.That(payoff.Accuracy!.Value.Value, Is.EqualTo(2.0 / 4).Within(1e-12));
            Assert.That(payoff.Agreement!.Value.Value, Is.EqualTo((4 - 2) / 5.0).Within(1e-12));
            Assert.That(payoff.TeacherAccuracyOverAlone!.Value.Value, Is.EqualTo((2 - 1) / 4.0).Within(1e-12));
        });
    }

    [Test]
    public void Where_the_teacher_cannot_be_asked_only_accuracies_are_compared()
    {
        var payoff = Compare(Five, asksTeacher: false, choseEpochs: false);
        Assert.That((payoff.Agreement, payoff.TeacherAccuracyOverAlone, payoff.ByAgreement), Is.EqualTo(((Estimate?)null, (Estimate?)null, (PayoffAnswer?)null)));
        Assert.That((payoff.Accuracy, payoff.ChoseEpochs), Is.EqualTo((Compare(Five).Accuracy, false)));
    }

    [Test]
    public void Without_labels_only_agreements_are_compared()
    {
        var payoff = Compare([.. Five.Select(row => row with { Label = null })]);
        Assert.That(new object?[] { payoff.DistilledAccuracy, payoff.AloneAccuracy, payoff.Accuracy, payoff.TeacherAccuracyOverAlone, payoff.ByAccuracy }, Has.All.Null);
        Assert.That((payoff.LabelledRows, payoff.Agreement), Is.EqualTo((0, Compare(Five).Agreement)));
    }

    [Test]
    public void Intervals_are_as_wide_as_the_standard_error_of_the_difference_row_by_row()
    {
        // The distilled student errs on rows 0 to 39, the student alone on rows 20 to 79: +1 on 40 rows and -1 on 20 rows of 400.
        var payoff = Compare([.. Enumerable.Range(0, 400).Select(row => ((long?)0, row < 40 ? 1L : 0, row is >= 20 and < 80 ? 1L : 0, 0L))]);
        var margin = 1.96 * Math.Sqrt(((60 / 400.0) - (0.05 * 0.05)) / 400);
        Assert.Multiple(() =>
        {
            foreach (var difference in new[] { payoff.Accuracy!.Value, payoff.Agreement!.Value })
            {
                Assert.That(difference.Value, Is.EqualTo(0.05).Within(1e-12));
                Assert.That(difference.Lower, Is.EqualTo(0.05 - margin).Within(0.1 * margin));
                Assert.That(difference.Upper, Is.EqualTo(0.05 + margin).Within(0.1 * margin));
            }

            Assert.That((payoff.ByAccuracy, payoff.ByAgreement), Is.EqualTo((PayoffAnswer.Yes, PayoffAnswer.Yes)));
            Assert.That(payoff.TeacherAccuracyOverAlone!.Value.Value, Is.EqualTo(60 / 400.0).Within(1e-12));
        });
    }

    private static DistillationPayoff Compare((long? Label, long Distilled, long Alone, long Teacher)[] rows, bool asksTeacher = true, bool choseEpochs = true)
    {
        var answers = new PairedAnswers(asksTeacher);
        foreach (var (row, (label, distilled, alone, teacher)) in rows.Index())
            answers.Add(new RowId((ulong)row, 0), label, distilled, alone, teacher);
        return answers.Compare(choseEpochs);
    }
}
