

namespace MlNetDistill.Evaluation;

/// <summary>Whether a student has learnt nothing, by how it was measured.</summary>
internal static class CollapsedStudent
{
    private const string Name = nameof(AcceptanceCriteria.RejectCollapsed);

    /// <summary>The check that it does not pass; null for a student that has learnt something.</summary>
    public static AcceptanceCheck? Of(DistillationMetrics metrics)
    {
        var beside = BesideTeacher(metrics);
        if (metrics.Student is not { } student)
            return beside.IsChance ? Guesses(beside, "agreement with the teacher", Named(metrics)) : null;
        var level = BesideLabels(metrics);
        // A student that follows its teacher has learnt, even if the labels disagree.
        if (level.IsChance && !(beside is { Classes: >= 2, IsChance: false }))
            return Guesses(level, "accuracy", Named(metrics));
        var uniform = Math.Log(metrics.Classes.Count);
        return level.Classes >= 2 && student.LogLoss.Value > Math.Max(uniform, metrics.Teacher?.LogLoss.Value ?? 0)
            ? new AcceptanceCheck(
                Name, false, uniform, student.LogLoss.Value,
                $"{Name}: the student's log-loss is {Figures.Number(student.LogLoss.Value)} nats; giving all {metrics.Classes.Count} classes the same probability " +
                $"for every row would have {Figures.Number(uniform)} nats.")
            : null;
    }

    private static AcceptanceCheck Guesses(ChanceLevel level, string measure, string named) => new(
        Name, false, ChanceLevel.Least(level.MajorityShare), level.Accuracy,
        $"{Name}: the student has collapsed{named}: its {measure} is {Figures.Percent(level.Accuracy)}, always predicting the most frequent class gives " +
        $"{Figures.Percent(level.MajorityShare)}, and its mean over classes is {Figures.Percent(level.MacroAccuracy)}.");

    private static string Named(DistillationMetrics metrics) =>
        metrics.Matrix.Where(cell => cell.Rows > 0).Select(cell => cell.Student).Distinct().Take(2).ToList() is [var only]
            ? $", it predicts '{metrics.Classes[only]}' for every row"
            : "";

    private static ChanceLevel BesideLabels(DistillationMetrics metrics) => Level([.. metrics.PerClass.Select(c => (c.Rows, c.StudentCorrect))]);

    private static ChanceLevel BesideTeacher(DistillationMetrics metrics) => Level([.. metrics.PerClass.Select(c => (c.TeacherPredicts, c.BothPredict))]);

    private static ChanceLevel Level(IReadOnlyList<(long Rows, long Right)> classes)
    {
        var present = classes.Where(c => c.Rows > 0).ToList();
        double total = present.Sum(c => c.Rows);
        return present.Count == 0
            ? default
            : new(present.Sum(c => c.Right) / total, present.Max(c => c.Rows) / total, present.Average(c => c.Right / (double)c.Rows), present.Count);
    }
}
