using System.Collections;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>Number of rows for each pair of predictions: K×K counts, the teacher's classes down, the student's across.</summary>
public sealed class AgreementMatrix : IEnumerable<AgreementCell>
{
    private readonly long[] _rows;

    internal AgreementMatrix(int classes, long[] rows)
    {
        Classes = classes;
        _rows = rows;
    }

    /// <summary>K.</summary>
    public int Classes { get; }

    /// <summary>Rows for which the teacher predicts class <paramref name="teacher"/> and the student class <paramref name="student"/>, both from 0.</summary>
    public long this[int teacher, int student]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(teacher);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(teacher, Classes);
            ArgumentOutOfRangeException.ThrowIfNegative(student);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(student, Classes);
            return _rows[(teacher * Classes) + student];
        }
    }

    /// <summary>The matrix if it fits in 100 characters per line, else the most frequent disagreements.</summary>
    public override string ToString() => MetricsText.Format(this);

    /// <summary>The cells that are not empty, line by line.</summary>
    public IEnumerator<AgreementCell> GetEnumerator() =>
        _rows.Select((rows, index) => new AgreementCell(index / Classes, index % Classes, rows)).Where(cell => cell.Rows > 0).GetEnumerator();

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
