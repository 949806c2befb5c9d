using System.Collections;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>Number of rows for each pair of predictions: K×K counts, the teacher's classes down, the student's across. Only cells that are not empty take memory.</summary>
public sealed class AgreementMatrix : IEnumerable<AgreementCell>
{
    private readonly CellCounts _rows;

    internal AgreementMatrix(int classes, CellCounts rows)
    {
        Classes = classes;
        _rows = rows;
    }

    /// <summary>K.</summary>
    public int Classes { get; }

    /// <summary>Number of cells that are not empty.</summary>
    internal int CellCount => _rows.Count;

    /// <summary>Rows for which the teacher predicts class <paramref name="teacher"/> and the student class <paramref name="student"/>, both from 0.</summary>
    public long this[int teacher, int student]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(teacher);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(teacher, Classes);
            ArgumentOutOfRangeException.ThrowIfNegative(student);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(student, Classes);
            return _rows[teacher, student];
        }
    }

    /// <summary>The matrix if it fits in 100 characters per line, else the most frequent disagreements.</summary>
    public override string ToString() => MetricsText.Format(this);

    /// <summary>The cells that are not empty, line by line.</summary>
    public IEnumerator<AgreementCell> GetEnumerator() => _rows.Cells().OrderBy(cell => cell.Teacher).ThenBy(cell => cell.Student).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>One cell of an <see cref="AgreementMatrix"/>.</summary>
/// <param name="Teacher">The class that the teacher predicts, from 0.</param>
/// <param name="Student">The class that the student predicts, from 0.</param>
/// <param name="Rows">Number of rows.</param>
public sealed record AgreementCell(int Teacher, int Student, long Rows)
{
    /// <summary>The two classes and the number of rows.</summary>
    public override string ToString() => Invariant($"teacher {Teacher}, student {Student}: {Figures.Count(Rows, "row")}");
}
