namespace MlNetDistill.Views;

/// <summary>Which row of its batch a cursor is at, shared with the getters that it has given out.</summary>
internal sealed class CurrentRow
{
    /// <summary>From 0; -1 before the first row and after the last.</summary>
    public int Index { get; set; } = -1;

    /// <exception cref="InvalidOperationException">There is no current row.</exception>
    public int Required => Index >= 0 ? Index : throw new InvalidOperationException("The cursor is at no row: call MoveNext first, and read only while it returns true.");
}
