using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Reading;

namespace MlNetDistill.Evaluation;

/// <summary>The columns that teacher and student are compared by, found and checked, their classes matched by name.</summary>
internal sealed record EvaluationColumns(
    DataViewSchema.Column Teacher,
    DataViewSchema.Column Student,
    DataViewSchema.Column? Label,
    bool LabelIsTheTeachers,
    IReadOnlyList<string> Classes,
    (AlignedScores Teacher, AlignedScores Student) Scores)
{
    /// <param name="teacher">The teacher's scores and the schema that has them.</param>
    /// <param name="student">The student's scores and their schema, which is looked in first for the label.</param>
    /// <param name="labelName">The label, or null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">The classes of teacher, student and label cannot be matched.</exception>
    public static EvaluationColumns Find((DataViewSchema Schema, ScoreSpec Scores) teacher, (DataViewSchema Schema, ScoreSpec Scores) student, string? labelName)
    {
        var (teacherScore, studentScore) = (ScoresIn(teacher.Schema, teacher.Scores), ScoresIn(student.Schema, student.Scores));
        var isTheTeachers = labelName is not null && student.Schema.GetColumnOrNull(labelName) is null
            && teacher.Schema.GetColumnOrNull(labelName) is not null;
        var label = labelName is null ? (DataViewSchema.Column?)null : FindLabel(isTheTeachers ? teacher.Schema : student.Schema, labelName);
        var (teacherCount, studentCount) = (WidthOf(teacherScore), WidthOf(studentScore));
        if (studentCount < 2)
        {
            throw new InvalidOperationException(
                $"The student's column '{student.Scores.Column}' has 1 score a row, and there must be one for each class. Of a model of two classes that gives the " +
                "probability of one alone, compute both.");
        }

        var (teacherNames, studentNames) = (AnnotatedNames.ReadClassNames(teacherScore), AnnotatedNames.ReadClassNames(studentScore));
        var labelNames = LabelNames(label, studentNames, student.Scores.Column, studentCount);
        // Where neither column names its classes they go by number; where the teacher's does, the label's names stand for the student's.
        var teacherIsNamed = teacherNames is not null || teacher.Scores.ClassNames is not null || teacher.Scores.Map is not null;
        var matched = new ClassLabels(studentCount, studentNames ?? (teacherIsNamed ? labelNames : null));
        var classes = matched with { Names = studentNames ?? labelNames };
        return new EvaluationColumns(
            teacherScore,
            studentScore,
            label,
            isTheTeachers,
            [.. Enumerable.Range(0, studentCount).Select(classes.NameOf)],
            (
                teacher.Scores.Align(teacherCount, teacherNames, matched),
                new AlignedScores(student.Scores.Subject, studentCount, ClassOrder.Same(studentCount), student.Scores.Kind, student.Scores.Hint)));
    }

    public static int WidthOf(DataViewSchema.Column column) => ((VectorDataViewType)column.Type).Size;

    private static DataViewSchema.Column ScoresIn(DataViewSchema schema, ScoreSpec scores)
    {
        var column = Find(schema, scores.Column, $"{(scores.IsTeacher ? "teacher" : "student")}'s score", scores.Options.Column);
        ColumnCheck.Of(column).IsScores();
        return column;
    }

    private static DataViewSchema.Column FindLabel(DataViewSchema schema, string name)
    {
        var column = Find(schema, name, "label", "labelColumnName, or null for rows without labels");
        ColumnCheck.Of(column).IsLabelOrText();
        return column;
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, string role, string option) =>
        schema.GetColumnOrNull(name) ?? throw ColumnCheck.Missing(name, role, option, schema.Where(c => !c.IsHidden).Select(c => c.Name));

    /// <summary>
    /// What a key's values call the classes of a student whose scores do not say it: score i is then for key value i, as ML.NET's own Evaluate reads them.
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
                $"The label '{label.Value.Name}' is a key without values, so it does not say which of the student's classes each is: " +
                $"{ClassAlignment.Listed(studentNames)}. Classes are never matched by position: " +
                "name the key column that the student's own pipeline makes of the label, or a text column.");
        }

        return classes.Names is null || classes.Count == count ? classes.Names : throw new InvalidOperationException(
            $"The student's column '{student}' does not say which class each of its {count} scores is for, and the label '{label.Value.Name}' has " +
            $"{classes.Count} classes. Both must be of the same label values.");
    }
}
