using Microsoft.ML;

namespace MlNetDistill.Reading;

/// <summary>The values of a loaded column in the rows that made-up rows are made from. A column has one attribute or several.</summary>
internal abstract class ParentColumn
{
    /// <summary>The column.</summary>
    public required DataViewSchema.Column Column { get; init; }

    /// <summary>The number of its first attribute among those of all columns.</summary>
    public required int FirstAttribute { get; init; }

    /// <summary>Number of its attributes.</summary>
    public abstract int Attributes { get; }

    /// <summary>Whether its attributes are numbers; else they are categories.</summary>
    public abstract bool IsNumeric { get; }

    /// <summary>Reads the value of the cursor's current row, the next parent.</summary>
    public abstract Action CreateReader(DataViewRowCursor cursor);

    /// <summary>Attribute <paramref name="slot"/> of a parent: a number, or the number of its category.</summary>
    public abstract double Get(int row, int slot);

    /// <summary>Creates a getter of the value that a rule makes for its current row.</summary>
    /// <exception cref="InvalidOperationException">The column has another type.</exception>
    public abstract ValueGetter<TValue> CreateGetter<TValue>(MixRule rule);

    protected ValueGetter<TValue> Cast<TValue>(Delegate getter) => getter as ValueGetter<TValue> ?? throw new InvalidOperationException(
        $"Column '{Column.Name}' is {Column.Type} and is read as {Column.Type.RawType.Name}; it was read as {typeof(TValue).Name}.");
}
