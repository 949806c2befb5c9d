using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// How a row is made up from training rows, one row at a time. An attribute has <see cref="DrawsPerAttribute"/> draws of its own, so that a column that is not read
/// needs no draws.
/// </summary>
internal abstract class MixRule
{
    /// <summary>Draws that belong to one attribute.</summary>
    protected const int DrawsPerAttribute = 4;

    /// <summary>The first row that the current row is made from.</summary>
    public int Row { get; private set; }

    /// <summary>The random numbers of the current row.</summary>
    protected RowDraws Draws { get; private set; }

    /// <summary>Begins a row.</summary>
    /// <param name="row">The first row that it is made from.</param>
    /// <param name="draws">Its random numbers.</param>
    public void Begin(int row, RowDraws draws)
    {
        (Row, Draws) = (row, draws);
        BeginRow();
    }

    /// <summary>A number of the current row.</summary>
    /// <param name="attribute">Its attribute among those of all columns.</param>
    /// <param name="column">Its column.</param>
    /// <param name="slot">Its place in the column.</param>
    public abstract double MixNumber(int attribute, ParentColumn column, int slot);

    /// <summary>The row whose category the current row takes.</summary>
    public abstract int PickRow(int attribute);

    /// <summary>Draws what all attributes of a row share.</summary>
    protected virtual void BeginRow() { }
}
