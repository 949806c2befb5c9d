using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>A gate with mild criteria let a student through that had learnt nothing.</summary>
public sealed class CollapsedStudentTests
{
    private static readonly AcceptanceCriteria Mild = new() { MaximumDivergence = 1000 };

    [Test]
    public void A_student_that_names_one_class_is_refused()
    {
        var refused = Mild.Judge(Metrics(row => row % 3, (_, label) => label, (_, _) => 1));
        Assert.Multiple(() =>
        {
            Assert.That((refused.Passed, refused.ExitCode), Is.EqualTo((false, 3)));
            Assert.That(refused.Checks.Single(check => !check.Passed).Reason, Is.EqualTo(
                "RejectCollapsed: the student has collapsed, it predicts 'b' for every row: its accuracy is 33.33 %, always predicting the most frequent class gives 33.33 %, " +
                "and its mean over classes is 33.33 %."));
            Assert.That((Mild with { RejectCollapsed = false }).Judge(Metrics(row => row % 3, (_, label) => label, (_, _) => 1)).Passed);
        });
    }

    [Test]
    public void A_student_that_guesses_is_refused_however_frequent_the_first_class()
    {
        var random = new Random(1);
        var refused = Mild.Judge(Metrics(row => row % 10 == 0 ? 1 : 0, (_, label) => label, (_, _) => random.Next(10) == 0 ? 1 : 0));
        Assert.That(refused.Checks.Where(check => !check.Passed).Select(check => check.Criterion), Is.EqualTo(new[] { "RejectCollapsed" }));
    }

    [Test]
    public void A_student_whose_probabilities_are_worse_than_none_is_refused()
    {
        // Right on 90 % and as good as certain of the rest.
        var refused = Mild.Judge(Metrics(row => row % 2, (_, label) => label, (row, label) => row % 10 == 0 ? 1 - label : label, sure: 0.999999999f));
        Assert.That(refused.Checks.Single(check => !check.Passed).Reason, Does.Match("^RejectCollapsed: the student's log-loss is \\d\\.\\d+ nats; giving all 3 classes the same probability for every row would have 1\\.0986 nats\\.$"));
    }

    [Test]
    public void Without_labels_the_teacher_is_what_a_student_must_not_guess_at()
    {
        Assert.That(Mild.Judge(Metrics(_ => null, (row, _) => row % 3, (_, _) => 2)).Passed, Is.False);
        Assert.That(Mild.Judge(Metrics(_ => null, (row, _) => row % 3, (row, _) => row % 3)).Passed);
    }

    [Test]
    public void A_student_that_follows_its_teacher_against_the_labels_has_learnt() =>
        Assert.That(Mild.Judge(Metrics(row => row % 3, (row, _) => row / 3 % 3, (row, _) => row / 3 % 3, sure: 0.4f)).Passed);

    [Test]
    public void A_student_that_knows_the_rare_class_has_learnt_whatever_its_accuracy() =>
        Assert.That(Mild.Judge(Metrics(row => row % 10 == 0 ? 1 : 0, (_, label) => label, (row, label) => row % 9 == 0 ? 1 : label)).Passed);

    [Test]
    public void Of_rows_of_one_class_nothing_is_said() => Assert.That(Mild.Judge(Metrics(_ => 0, (_, _) => 0, (_, _) => 0)).Passed);

    private static DistillationMetrics Metrics(Func<int, int?> label, Func<int, int, int> teacher, Func<int, int, int> student, float sure = 0.8f)
    {
        var evaluator = new DistillationEvaluator(["a", "b", "c"], new() { BootstrapReplicates = 0 });
        for (var row = 0; row < 900; row++)
            evaluator.Add(Says(teacher(row, label(row) ?? -1), 0.8f), Says(student(row, label(row) ?? -1), sure), label(row), (ulong)row);
        return evaluator.Metrics();
    }

    private static float[] Says(int named, float sure) => [.. Enumerable.Range(0, 3).Select(c => c == named ? sure : (1 - sure) / 2)];
}
