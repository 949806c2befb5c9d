namespace MlNetDistill.Core;

/// <summary>The id of a row in its source. A teacher's outputs are matched to rows by id, never by position.</summary>
/// <param name="Low">The low 64 bits.</param>
/// <param name="High">The high 64 bits.</param>
public readonly record struct RowId(ulong Low, ulong High)
{
    /// <inheritdoc/>
    public override string ToString() => High == 0 ? $"{Low}" : $"{High:x}-{Low:x}";
}
