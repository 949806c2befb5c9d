using MlNetDistill.Evaluation;
using MlNetDistill.Reading;


namespace Microsoft.ML;

/// <summary>Evaluation of distilled students in ML.NET's catalogs.</summary>
public static class EvaluationCatalog
{
    /// <summary>
    /// Compares a student with its teacher on rows that both have scored: accuracy and calibration of both, and how well the student matches its
    /// teacher. One pass over the data; the memory does not grow with the number of rows.
    /// </summary>
    /// <param name="catalog">The multiclass operations.</param>
    /// <param name="data">
    /// Rows with both columns of scores. Classes are matched by the names that the columns give them (as a model's score column does), never by position;
    /// where neither column names them, score i is for class i, and for key value i of the label.
    /// </param>
    /// <param name="teacherScoreColumnName">The teacher's scores, <c>Vector&lt;Single, K'&gt;</c>, or the single score of a binary model; probabilities unless the options say otherwise.</param>
    /// <param name="studentScoreColumnName">The student's scores, <c>Vector&lt;Single, K&gt;</c>, probabilities unless the options say otherwise.</param>
    /// <param name="labelColumnName">
    /// The right class: a key column, whose values are matched by name, or text. Rows where it is missing (a missing key or empty text) count for fidelity
    /// and not for accuracy. Null: there are no labels.
    /// </param>
    /// <param name="options">How they are compared; the defaults if null.</param>
    /// <exception cref="ArgumentException">Both columns are the same.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or options are out of their ranges.</exception>
    /// <exception cref="InvalidOperationException">
    /// Classes cannot be matched, scores are not what they should be, a label is no class, or there are no rows.
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
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrEmpty(teacherScoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(studentScoreColumnName);
        if (teacherScoreColumnName == studentScoreColumnName)
        {
            throw new ArgumentException(
                $"The scores of teacher and student are both '{studentScoreColumnName}': the student would be compared with itself. Give two columns, for " +
                "example DistillationTrainer.ScoreTeacher's and the student's.",
                nameof(teacherScoreColumnName));
        }

        options ??= new();
        options.Check();
        var teacher = options.TeacherScores(teacherScoreColumnName);
        var student = options.StudentScores(studentScoreColumnName);
        student = student with { Options = student.Options with { Column = nameof(studentScoreColumnName) } };
        data = TwoClassScores.Of(data, teacher);
        return EvaluationPass.Run(data, EvaluationColumns.Find((data.Schema, teacher), (data.Schema, student), labelColumnName), options);
    }

    /// <summary>
    /// Scores rows by a teacher and a student, and compares them: accuracy and calibration of both, and how well the student matches its teacher. The
    /// models go over the data side by side, once; the memory does not grow with the number of rows.
    /// </summary>
    /// <param name="catalog">The multiclass operations.</param>
    /// <param name="data">The rows, with the columns that both models read.</param>
    /// <param name="teacher">The teacher; the scores of a naive Bayes model are known to be logits.</param>
    /// <param name="student">The student.</param>
    /// <param name="labelColumnName">
    /// The right class, in what the student gives (which holds the columns of <paramref name="data"/> as well) or else the teacher: a key column, whose values
    /// are matched by name, or text. Rows where it is missing (a missing key or empty text) count for fidelity and not for accuracy. Null: there are no labels.
    /// </param>
    /// <param name="scoreColumnName">The student's scores, <c>Vector&lt;Single, K&gt;</c>.</param>
    /// <param name="teacherScoreColumnName">The teacher's scores, <c>Vector&lt;Single, K'&gt;</c>, or the single score of a binary model.</param>
    /// <param name="options">How they are compared; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or options are out of their ranges.</exception>
    /// <exception cref="InvalidOperationException">
    /// Classes cannot be matched, scores are not what they should be, a label is no class, there are no rows, or the models give different ones.
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
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentException.ThrowIfNullOrEmpty(scoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(teacherScoreColumnName);
        options ??= new();
        options.Check();
        // Each model makes a pass of its own.
        var rows = RepeatedRows.Of(data);
        // Where labels are asked for, a column of them that is missing is an error.
        var asked = labelColumnName is null ? EmptyColumns.Before(teacher, rows.Schema, teacherScoreColumnName) : teacher;
        var (teacherScores, studentScores) = (options.TeacherScores(teacherScoreColumnName), options.StudentScores(scoreColumnName));
        var (teachers, students) = (TwoClassScores.Of(asked.Transform(rows), teacherScores), student.Transform(rows));
        var columns = EvaluationColumns.Find(
            (teachers.Schema, teacherScores.AdaptTo(teacher)), (students.Schema, studentScores.AdaptTo(student)), labelColumnName);
        return ChangedRowsException.Unwrapped(() => EvaluationPass.Run(teachers, students, columns, options));
    }
}
