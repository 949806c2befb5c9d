namespace MlNetDistill.Data;

/// <content>Reads elements without the zeros between them.</content>
internal sealed partial class SparseMatrix
{
    /// <summary>Reads the stored elements of a row, block by block.</summary>
    public void ReadStored(long row, StoredElements read)
    {
        var end = _ends[checked((int)row)];
        for (var at = Start(row); at < end;)
        {
            var (columns, values) = _blocks[(int)(at >> BlockBits)];
            var from = (int)(at & (BlockLength - 1));
            var count = (int)Math.Min(BlockLength - from, end - at);
            read(columns.AsSpan(from, count), values.AsSpan(from, count));
            at += count;
        }
    }
}
