namespace MlNetDistill.Data;

/// <summary>Rows that can be read before they are needed, while the training computes.</summary>
internal interface IReadAhead
{
    /// <summary>Begins to read blocks that will be needed soon, and returns at once.</summary>
    /// <param name="blocks">Numbers of blocks of <see cref="IRowSource.Blocks"/>.</param>
    void ReadAhead(IReadOnlyList<long> blocks);
}
