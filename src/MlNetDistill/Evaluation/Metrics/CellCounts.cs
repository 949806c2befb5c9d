using System.Runtime.InteropServices;

namespace MlNetDistill.Evaluation;

/// <summary>
/// Counts rows by pairs of classes. Only pairs that occur are kept, about 40 bytes each, so that memory grows neither with the rows nor with the square of the classes:
/// models that are worth comparing agree on most rows, and confuse few pairs of classes.
/// </summary>
internal sealed class CellCounts
{
    private readonly Dictionary<(int Teacher, int Student), long> _rows;

    public CellCounts() => _rows = [];

    private CellCounts(Dictionary<(int Teacher, int Student), long> rows) => _rows = rows;

    /// <summary>Number of pairs that occur.</summary>
    public int Count => _rows.Count;

    /// <summary>Rows of a pair.</summary>
    public long this[int teacher, int student] => _rows.GetValueOrDefault((teacher, student));

    public void Add(int teacher, int student, long rows = 1) => CollectionsMarshal.GetValueRefOrAddDefault(_rows, (teacher, student), out _) += rows;

    public void Add(CellCounts other)
    {
        foreach (var ((teacher, student), rows) in other._rows)
            Add(teacher, student, rows);
    }

    /// <summary>The pairs that occur, in no order.</summary>
    public IEnumerable<AgreementCell> Cells() => _rows.Select(cell => new AgreementCell(cell.Key.Teacher, cell.Key.Student, cell.Value));

    public CellCounts Copy() => new(new(_rows));
}
