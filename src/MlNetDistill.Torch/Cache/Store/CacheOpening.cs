using MlNetDistill.Core;

namespace MlNetDistill.Cache;

/// <summary>From a finished file to answers in the order that was asked for.</summary>
internal static class CacheOpening
{
    /// <param name="path">The file.</param>
    /// <param name="stored">What it should hold; what is asked for, or more.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="memoryLimit">Bytes up to which the answers are read into memory.</param>
    /// <param name="earlier">Whether an earlier run had a hand in it, so that it may be stale.</param>
    /// <param name="cancellation">Ends the check of the file.</param>
    /// <exception cref="CacheFormatException">The file is damaged, another record or stale.</exception>
    /// <exception cref="InvalidOperationException">What was just built does not have the rows that are asked for.</exception>
    public static CachedOutputs Open(
        string path, CacheFileKey stored, CacheRequest request, long memoryLimit, bool earlier, CancellationToken cancellation)
    {
        var (file, layout, ids) = CacheReader.Open(path, stored, cancellation);
        var mapped = new MappedRows(file, layout, request.Device);
        OutputRows rows = mapped;
        try
        {
            mapped.Map = Join(ids, mapped, request.Order, earlier);
            if (request.Bytes <= memoryLimit)
            {
                rows = MemoryRows.Load(mapped, layout, request.Key.Kept, request.Device);
                mapped.Dispose();
            }

            var answers = new CachedOutputs(request.Key, stored, rows);
            if (earlier && request.Verify?.Invoke(answers) is { } stale)
                throw new CacheFormatException(stale);
            return answers;
        }
        catch
        {
            mapped.Dispose();
            rows.Dispose();
            throw;
        }
    }

    private static long[]? Join(IReadOnlyList<RowId> ids, MappedRows rows, RowIds order, bool earlier)
    {
        try
        {
            return RowJoin.Of(ids, order, rows.Same);
        }
        catch (InvalidOperationException e) when (earlier)
        {
            throw new CacheFormatException(e.Message);
        }
    }
}
