using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Reading;

namespace MlNetDistill.Evaluation;

/// <summary>Reads a row that both models have scored. The scores are valid during the call.</summary>
internal delegate void ScoredRowReader(ReadOnlySpan<float> teacher, ReadOnlySpan<float> student, int? label, UInt128 id);

/// <summary>One pass over the rows of one view, or over two views at the same time.</summary>
internal static class EvaluationPass
{
    /// <summary>Both models' scores in one view.</summary>
    public static void Run(IDataView data, EvaluationColumns columns, ScoredRowReader read)
    {
        UnreadableRow.LocateFailure(() =>
        {
            using var cursor = Open(data, row => $"Row {row} (counted from 0) of the data cannot be read", columns.Teacher, columns.Student, columns.Label);
            return Run(cursor, cursor, columns, read);
        });
    }

    /// <summary>Each model's scores in a view of its own, of the same rows.</summary>
    /// <exception cref="InvalidOperationException">The rows are not the same.</exception>
    public static void Run(IDataView teacher, IDataView student, EvaluationColumns columns, ScoredRowReader read)
    {
        UnreadableRow.LocateFailure(() =>
        {
            using var teacherCursor = Open(teacher, row => $"The teacher fails on row {row} (counted from 0)", columns.Teacher, columns.LabelIsInTeacherView ? columns.Label : null);
            using var studentCursor = Open(student, row => $"The student fails on row {row} (counted from 0)", columns.Student, columns.LabelIsInTeacherView ? null : columns.Label);
            return Run(teacherCursor, studentCursor, columns, read);
        });
    }

    private static DataViewRowCursor Open(IDataView view, Func<long, string> fault, params DataViewSchema.Column?[] columns) =>
        new ViewColumns(view, [.. columns.OfType<DataViewSchema.Column>()], fault) { RemedyIfDisposed = ViewColumns.KeepTheModel }.Open();

    private static long Run(DataViewRowCursor teacher, DataViewRowCursor student, EvaluationColumns columns, ScoredRowReader read)
    {
        var getTeacher = Scores(teacher, columns.Teacher, columns.Scores.Teacher.Subject);
        var getStudent = Scores(student, columns.Student, columns.Scores.Student.Subject);
        var getLabel = columns.Label is { } label ? new LabelReader(label, columns.Classes).CreateGetter(columns.LabelIsInTeacherView ? teacher : student) : _ => null;
        var (getTeacherId, getId) = (teacher.GetIdGetter(), student.GetIdGetter());
        DataViewRowId teacherId = default, id = default;
        var row = 0L;
        for (; Move(teacher, student, row); row++)
        {
            getTeacherId(ref teacherId);
            getId(ref id);
            if (!teacherId.Equals(id))
                throw RowMismatch($"row {row} (counted from 0) has the id {Number(teacherId)} in the teacher's output and {Number(id)} in the student's");
            read(getTeacher(row), getStudent(row), getLabel(row), Number(id));
        }

        return row;
    }

    private static bool Move(DataViewRowCursor teacher, DataViewRowCursor student, long row)
    {
        var moved = student.MoveNext();
        if (!ReferenceEquals(teacher, student) && teacher.MoveNext() != moved)
            throw RowMismatch($"the {(moved ? "teacher" : "student")}'s output has {row} rows, the {(moved ? "student" : "teacher")}'s more");
        return moved;
    }

    private static InvalidOperationException RowMismatch(string difference) => new(
        $"Teacher and student must return the same rows in the same order; {difference}. The models must not filter or shuffle rows, and the data must be the same " +
        "each time they are read: cache them with mlContext.Data.Cache.");

    private static UInt128 Number(DataViewRowId id) => new(id.High, id.Low);

    private static Func<long, float[]> Scores(DataViewRowCursor cursor, DataViewSchema.Column column, string subject)
    {
        var get = cursor.GetGetter<VBuffer<float>>(column);
        var values = new float[EvaluationColumns.WidthOf(column)];
        VBuffer<float> buffer = default;
        return row =>
        {
            get(ref buffer);
            if (buffer.Length != values.Length)
                throw VectorLength.CreateError(subject, values.Length, buffer.Length, $"row {row} (counted from 0)", "Score the row, or leave it out.");
            buffer.CopyTo(values);
            return values;
        };
    }
}
