using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Reading;

namespace MlNetDistill.Evaluation;

/// <summary>The columns of a comparison of teacher and student, checked, with classes matched by name.</summary>
internal sealed record EvaluationColumns(
    DataViewSchema.Column Teacher,
    DataViewSchema.Column Student,
    DataViewSchema.Column? Label,
    bool LabelIsInTeacherView,
    IReadOnlyList<string> Classes,
    (AlignedScores Teacher, AlignedScores Student) Scores)
{
    /// <param name="teacher">The teacher's scores and the schema that has them.</param>
    /// <param name="student">The student's scores and their schema, which is searched first for the label.</param>
    /// <param name="labelName">The label, or null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">The classes of teacher, student and label cannot be matched.</exception>
    public static EvaluationColumns Find((DataViewSchema Schema, ScoreSpec Scores) teacher, (DataViewSchema Schema, ScoreSpec Scores) student, string? labelName)
    {
        var (teacherScore, studentScore) = (ScoresIn(teacher.Schema, teacher.Scores), ScoresIn(student.Schema, student.Scores));
        var labelIsInTeacherView = labelName is not null && student.Schema.GetColumnOrNull(labelName) is null
            && teacher.Schema.GetColumnOrNull(labelName) is not null;
        var label = labelName is null ? (DataViewSchema.Column?)null : FindLabel(labelIsInTeacherView ? teacher.Schema : student.Schema, labelName);
        var (teacherCount, studentCount) = (WidthOf(teacherScore), WidthOf(studentScore));
        if (studentCount < 2)
        {
            throw new InvalidOperationException(
                $"The student's column '{student.Scores.Column}' has 1 score per row; one score for each class is needed. If the model has two classes and gives the " +
                "probability of one of them, compute both.");
        }

        var (teacherNames, studentNames) = (AnnotatedNames.ReadClassNames(teacherScore), AnnotatedNames.ReadClassNames(studentScore));
        var labelNames = LabelNames(label, studentNames, student.Scores.Column, studentCount);
        // If neither score column has class names, classes are matched by number; if only the teacher's has, the label's names are the student's.
        var teacherIsNamed = teacherNames is not null || teacher.Scores.ClassNames is not null || teacher.Scores.Map is not null;
        var matched = new ClassLabels(studentCount, studentNames ?? (teacherIsNamed ? labelNames : null));
        var classes = matched with { Names = studentNames ?? labelNames };
        return new EvaluationColumns(
            teacherScore,
            studentScore,
            label,
            labelIsInTeacherView,
            [.. Enumerable.Range(0, studentCount).Select(classes.NameOf)],
            (
                teacher.Scores.Align(teacherCount, teacherNames, matched),
                new AlignedScores(student.Scores.Subject, studentCount, ClassOrder.Same(studentCount), student.Scores.Kind, student.Scores.Hint)));
    }

    public static int WidthOf(DataViewSchema.Column column) => ((VectorDataViewType)column.Type).Size;

    private static DataViewSchema.Column ScoresIn(DataViewSchema schema, ScoreSpec scores)
    {
        var column = Find(schema, scores.Column, $"{(scores.IsTeacher ? "teacher" : "student")}'s score", scores.Options.Column);
        ColumnCheck.FromColumn(column).RequireScores();
        return column;
    }

    private static DataViewSchema.Column FindLabel(DataViewSchema schema, string name)
    {
        var column = Find(schema, name, "label", "labelColumnName, or null for rows without labels");
        ColumnCheck.FromColumn(column).RequireLabelOrText();
        return column;
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, string role, string option) =>
        schema.GetColumnOrNull(name) ?? throw ColumnCheck.Missing(name, role, option, schema.Where(c => !c.IsHidden).Select(c => c.Name));

    /// <summary>
    /// The label's key values as names for the student's classes, if its scores have none: score i is then for key value i, as in ML.NET's own Evaluate.
    /// </summary>
    /// <exception cref="InvalidOperationException">The label's classes cannot be matched with the student's.</exception>
    private static IReadOnlyList<string>? LabelNames(DataViewSchema.Column? label, IReadOnlyList<string>? studentNames, string student, int count)
    {
        if (label is not { Type: KeyDataViewType })
            return null;
        var classes = ClassLabels.FromKeyColumn(label.Value);
        if (studentNames is not null)
        {
            return classes.Names is not null ? null : throw new InvalidOperationException(
                $"The label '{label.Value.Name}' is a key without values, so its classes cannot be matched with the student's classes " +
                $"{ClassAlignment.Listed(studentNames)}; classes are never matched by position. " +
                "Give the key column that the student's own pipeline creates from the label, or a text column.");
        }

        return classes.Names is null || classes.Count == count ? classes.Names : throw new InvalidOperationException(
            $"The student's column '{student}' has {count} scores without class names, and the label '{label.Value.Name}' has " +
            $"{classes.Count} classes. Both must be fitted to the same label values.");
    }
}
