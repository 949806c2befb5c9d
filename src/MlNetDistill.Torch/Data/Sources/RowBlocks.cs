namespace MlNetDistill.Data;

/// <summary>Rows that a source reads together, because reading them one by one would be slow.</summary>
/// <param name="Rows">Rows of a block, at least 1: the first block has positions 0 to <paramref name="Rows"/> - 1, and so on.</param>
/// <param name="Together">Number of blocks that can be in memory at a time, at least 1.</param>
public sealed record RowBlocks(long Rows, int Together)
{
    /// <summary>Both numbers.</summary>
    public override string ToString() => FormattableString.Invariant($"blocks of {Rows} rows, {Together} together");
}
