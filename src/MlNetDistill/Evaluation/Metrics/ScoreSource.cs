using MlNetDistill.Alignment;


namespace MlNetDistill.Evaluation;

/// <summary>Where one model's scores come from and what they are.</summary>
/// <param name="Subject">What messages call them, for example <c>The student's column 'Score'</c>.</param>
/// <param name="Count">Number of scores in a row.</param>
/// <param name="Order">Their classes.</param>
/// <param name="Kind">What they are.</param>
/// <param name="Hint">What to do where they are no probabilities.</param>
internal sealed record ScoreSource(string Subject, int Count, ClassOrder Order, ScoreKind Kind, string Hint)
{
    /// <summary>Scores that are handed over row by row.</summary>
    public static (ScoreSource Teacher, ScoreSource Student) Of(IReadOnlyList<string> classes, DistillationEvaluationOptions options)
    {
        options.Check();
        var settings = new ScoreSettings(options.TeacherScoreKind, options.TeacherClassNames, options.ClassMap);
        var count = options.TeacherClassNames?.Count ?? classes.Count;
        var found = options.TeacherClassNames is null ? classes : null;
        var order = new ClassAlignment("row of scores", given: nameof(options.TeacherClassNames))
            .Order(count, found, settings, new ClassLabels(classes.Count, classes));
        var same = ClassOrder.Same(classes.Count);
        return (
            new ScoreSource("The teacher's row of scores", count, order, options.TeacherScoreKind, HintFor(nameof(options.TeacherScoreKind))),
            new ScoreSource("The student's row of scores", classes.Count, same, options.StudentScoreKind, HintFor(nameof(options.StudentScoreKind))));
    }

    /// <summary>What to do about scores that are no probabilities, where nothing is known of the model.</summary>
    public static string HintFor(string option) =>
        $"Set {option} to Logits if these are scores before softmax, to Margins if they are decision values; a model that gives neither must be " +
        "calibrated first.";

    public RowProbabilities Reader() => new(Subject, Kind, Order, Count, Hint);
}
