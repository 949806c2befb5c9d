using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace MlNetDistill;

/// <summary>Passes over rows that teacher and student have scored, or score now.</summary>
internal static class PairedScores
{
    /// <summary>Both models' scores are columns of the rows.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="teacherScoreColumnName">The teacher's scores.</param>
    /// <param name="studentScoreColumnName">The student's scores.</param>
    /// <param name="labelColumnName">The label; null for none.</param>
    /// <param name="options">What the scores mean.</param>
    /// <param name="start">Given the columns, what reads each row and what is computed at the end.</param>
    public static T Read<T>(
        IDataView data, string teacherScoreColumnName, string studentScoreColumnName, string? labelColumnName, DistillationEvaluationOptions options,
        Func<EvaluationColumns, (ScoredRowReader Read, Func<T> Finish)> start)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrEmpty(teacherScoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(studentScoreColumnName);
        if (teacherScoreColumnName == studentScoreColumnName)
        {
            throw new ArgumentException(
                $"teacherScoreColumnName and studentScoreColumnName are both '{studentScoreColumnName}', so the student would be compared with itself. Give two columns, for " +
                "example that of DistillationTrainer.ScoreTeacher and the student's.",
                nameof(teacherScoreColumnName));
        }

        options.Check();
        var teacher = options.TeacherScores(teacherScoreColumnName);
        var student = options.StudentScores(studentScoreColumnName);
        student = student with { Options = student.Options with { Column = nameof(studentScoreColumnName) } };
        data = TwoClassScores.AddIfBinary(data, teacher);
        var columns = EvaluationColumns.Find((data.Schema, teacher), (data.Schema, student), labelColumnName);
        var (read, finish) = start(columns);
        EvaluationPass.Run(data, columns, read);
        return finish();
    }

    /// <summary>The two models score the rows.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="teacher">The teacher.</param>
    /// <param name="student">The student.</param>
    /// <param name="labelColumnName">The label; null for none.</param>
    /// <param name="scoreColumnName">The student's scores.</param>
    /// <param name="teacherScoreColumnName">The teacher's scores.</param>
    /// <param name="options">What the scores mean.</param>
    /// <param name="start">Given the columns, what reads each row and what is computed at the end.</param>
    public static T Read<T>(
        IDataView data, ITransformer teacher, ITransformer student, string? labelColumnName, string scoreColumnName, string teacherScoreColumnName,
        DistillationEvaluationOptions options, Func<EvaluationColumns, (ScoredRowReader Read, Func<T> Finish)> start)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentException.ThrowIfNullOrEmpty(scoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(teacherScoreColumnName);
        options.Check();
        // Each model makes a pass of its own.
        var rows = RepeatedRows.CompareAllColumns(data);
        // Where labels are asked for, a column of them that is missing is an error.
        var asked = labelColumnName is null ? EmptyColumns.AddTo(teacher, rows.Schema, teacherScoreColumnName) : teacher;
        var (teacherScores, studentScores) = (options.TeacherScores(teacherScoreColumnName), options.StudentScores(scoreColumnName));
        var (teachers, students) = (TwoClassScores.AddIfBinary(asked.Transform(rows), teacherScores), student.Transform(rows));
        var columns = EvaluationColumns.Find(
            (teachers.Schema, teacherScores.AdaptTo(teacher)), (students.Schema, studentScores.AdaptTo(student)), labelColumnName);
        return ChangedRowsException.Unwrap(() =>
        {
            var (read, finish) = start(columns);
            EvaluationPass.Run(teachers, students, columns, read);
            return finish();
        });
    }
}
