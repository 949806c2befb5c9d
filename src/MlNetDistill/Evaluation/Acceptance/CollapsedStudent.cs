namespace MlNetDistill.Evaluation;

/// <summary>Recognises a student that has learned nothing.</summary>
internal static class CollapsedStudent
{
    private const string Name = nameof(AcceptanceCriteria.RejectCollapsed);

    /// <summary>The failed check; null for a student that has learned something.</summary>
    public static AcceptanceCheck? Check(DistillationMetrics metrics)
    {
        var againstTeacher = AgainstTeacher(metrics);
        if (metrics.Student is not { } student)
            return againstTeacher.IsChance ? Guesses(againstTeacher, "agreement with the teacher", ConstantPrediction(metrics)) : null;
        var level = AgainstLabels(metrics);
        // A student that follows its teacher has learned something, even if the labels disagree.
        if (level.IsChance && !(againstTeacher is { Classes: >= 2, IsChance: false }))
            return Guesses(level, "accuracy", ConstantPrediction(metrics));
        var uniform = Math.Log(metrics.Classes.Count);
        return level.Classes >= 2 && student.LogLoss.Value > Math.Max(uniform, metrics.Teacher?.LogLoss.Value ?? 0)
            ? new AcceptanceCheck(
                Name, false, uniform, student.LogLoss.Value,
                $"{Name}: the student's log-loss is {Figures.Number(student.LogLoss.Value)} nats; giving all {metrics.Classes.Count} classes the same probability " +
                $"for every row would have {Figures.Number(uniform)} nats.")
            : null;
    }

    private static AcceptanceCheck Guesses(ChanceLevel level, string measure, string constantPrediction) => new(
        Name, false, ChanceLevel.Least(level.MajorityShare), level.Accuracy,
        $"{Name}: the student has collapsed{constantPrediction}: its {measure} is {Figures.Percent(level.Accuracy)}, always predicting the most frequent class gives " +
        $"{Figures.Percent(level.MajorityShare)}, and its mean over classes is {Figures.Percent(level.MacroAccuracy)}.");

    private static string ConstantPrediction(DistillationMetrics metrics) =>
        metrics.Matrix.Where(cell => cell.Rows > 0).Select(cell => cell.Student).Distinct().Take(2).ToList() is [var only]
            ? $", it predicts '{metrics.Classes[only]}' for every row"
            : "";

    private static ChanceLevel AgainstLabels(DistillationMetrics metrics) => Measure([.. metrics.PerClass.Select(c => (c.Rows, c.StudentCorrect))]);

    private static ChanceLevel AgainstTeacher(DistillationMetrics metrics) => Measure([.. metrics.PerClass.Select(c => (c.TeacherPredicts, c.BothPredict))]);

    private static ChanceLevel Measure(IReadOnlyList<(long Rows, long Right)> classes)
    {
        var present = classes.Where(c => c.Rows > 0).ToList();
        double total = present.Sum(c => c.Rows);
        return present.Count == 0
            ? default
            : new(present.Sum(c => c.Right) / total, present.Max(c => c.Rows) / total, present.Average(c => c.Right / (double)c.Rows), present.Count);
    }
}
