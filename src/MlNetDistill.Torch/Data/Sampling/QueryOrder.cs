using MlNetDistill.Core;

namespace MlNetDistill.Data;

/// <summary>
/// The order in which a teacher is queried for all rows: evenly spread rows first, and among these a smaller evenly spread sample first, so that a preview of a few
/// rows is also the beginning of the full pass. Rows are often sorted by class, so the first rows of the data would be a bad sample.
/// </summary>
internal static class QueryOrder
{
    /// <summary>Rows of a preview of a slow teacher.</summary>
    public const int SlowTeacherPreviewRows = 64;

    /// <summary>Rows of a preview of other teachers.</summary>
    public const int PreviewRows = 512;

    /// <summary>All positions in this order.</summary>
    public static long[] Create(long rows)
    {
        RowLimit.Check(rows, "A teacher that is queried in an order of its own");
        var spread = SpreadFirst(rows).ToHashSet();
        return [.. SpreadFirst(rows), .. Enumerable.Range(0, (int)rows).Select(i => (long)i).Where(i => !spread.Contains(i))];
    }

    /// <summary>At most <see cref="PreviewRows"/> positions below <paramref name="rows"/>.</summary>
    public static IEnumerable<long> SpreadFirst(long rows)
    {
        var count = (int)Math.Min(PreviewRows, rows);
        var stride = Math.Max(1, (int)Math.Ceiling(count / (double)SlowTeacherPreviewRows));
        return Enumerable.Range(0, count).OrderBy(i => i % stride == 0 ? 0 : 1).Select(i => i * rows / count);
    }
}
