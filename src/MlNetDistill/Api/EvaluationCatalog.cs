using MlNetDistill;
using MlNetDistill.Evaluation;

namespace Microsoft.ML;

/// <summary>Evaluation of distilled students, from ML.NET's catalogs.</summary>
public static class EvaluationCatalog
{
    /// <summary>
    /// Compares a student with its teacher on rows that both have scored: accuracy and calibration of both, and fidelity. It takes one pass over the data, and its
    /// memory does not grow with the number of rows.
    /// </summary>
    /// <param name="catalog">The multiclass operations.</param>
    /// <param name="data">
    /// Rows with both score columns. Classes are matched by the names in the columns' annotations, which the score column of a model has, never by position. If
    /// neither column has names, score i is for class i and for key value i of the label.
    /// </param>
    /// <param name="teacherScoreColumnName">The teacher's scores, <c>Vector&lt;Single, K'&gt;</c>, or the one score of a binary model; probabilities unless the options say otherwise.</param>
    /// <param name="studentScoreColumnName">The student's scores, <c>Vector&lt;Single, K&gt;</c>, probabilities unless the options say otherwise.</param>
    /// <param name="labelColumnName">
    /// The true class: a key column, whose values are matched by name, or text. Rows without it (a missing key or empty text) count for fidelity and not for
    /// accuracy. Null if there are no labels.
    /// </param>
    /// <param name="options">Settings of the comparison; the defaults if null.</param>
    /// <exception cref="ArgumentException">Both score columns are the same.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or options are out of their ranges.</exception>
    /// <exception cref="InvalidOperationException">
    /// Classes cannot be matched, scores are not of their kind, a label is not one of the classes, or there are no rows.
    /// </exception>
    /// <example>
    /// <code>
    /// var metrics = mlContext.MulticlassClassification.EvaluateDistillation(scored, "TeacherScore", "Score", "Class");
    /// Console.WriteLine(metrics); // a table
    /// Console.WriteLine($"The student agrees with its teacher on {metrics.Agreement}.");
    /// </code>
    /// </example>
    public static DistillationMetrics EvaluateDistillation(
        this MulticlassClassificationCatalog catalog,
        IDataView data,
        string teacherScoreColumnName,
        string studentScoreColumnName,
        string? labelColumnName = "Label",
        DistillationEvaluationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        options ??= new();
        return PairedScores.Read(data, teacherScoreColumnName, studentScoreColumnName, labelColumnName, options, columns => Compare(columns, options));
    }

    /// <summary>
    /// Scores rows with a teacher and a student, and compares them: accuracy and calibration of both, and fidelity. Each model takes one pass over the data, both at
    /// the same time, and memory does not grow with the number of rows.
    /// </summary>
    /// <param name="catalog">The multiclass operations.</param>
    /// <param name="data">The rows, with the columns that both models read.</param>
    /// <param name="teacher">The teacher. The scores of a naive Bayes model are read as logits.</param>
    /// <param name="student">The student.</param>
    /// <param name="labelColumnName">
    /// The true class, a column of the student's output (which includes the columns of <paramref name="data"/>) or else of the teacher's: a key column, whose values
    /// are matched by name, or text. Rows without it (a missing key or empty text) count for fidelity and not for accuracy. Null if there are no labels.
    /// </param>
    /// <param name="scoreColumnName">The student's scores, <c>Vector&lt;Single, K&gt;</c>.</param>
    /// <param name="teacherScoreColumnName">The teacher's scores, <c>Vector&lt;Single, K'&gt;</c>, or the one score of a binary model.</param>
    /// <param name="options">Settings of the comparison; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or options are out of their ranges.</exception>
    /// <exception cref="InvalidOperationException">
    /// Classes cannot be matched, scores are not of their kind, a label is not one of the classes, there are no rows, or the two models return different rows.
    /// </exception>
    /// <example>
    /// <code>
    /// var metrics = mlContext.MulticlassClassification.EvaluateDistillation(test, forest, model, labelColumnName: "Class");
    /// </code>
    /// </example>
    public static DistillationMetrics EvaluateDistillation(
        this MulticlassClassificationCatalog catalog,
        IDataView data,
        ITransformer teacher,
        ITransformer student,
        string? labelColumnName = "Label",
        string scoreColumnName = "Score",
        string teacherScoreColumnName = "Score",
        DistillationEvaluationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        options ??= new();
        return PairedScores.Read(
            data, teacher, student, labelColumnName, scoreColumnName, teacherScoreColumnName, options, columns => Compare(columns, options));
    }

    private static (ScoredRowReader Read, Func<DistillationMetrics> Finish) Compare(EvaluationColumns columns, DistillationEvaluationOptions options)
    {
        var evaluator = new DistillationEvaluator(columns.Classes, options, columns.Scores);
        return (evaluator.Add, evaluator.Metrics);
    }
}
