using MlNetDistill.Core;

namespace MlNetDistill.Data;

/// <summary>
/// An order in which a teacher is asked about all rows: a few that are evenly spread come first, of which the first few are evenly spread too, so that a look at
/// these is the beginning of all. Rows are often sorted by class.
/// </summary>
internal static class QueryOrder
{
    /// <summary>Rows that tell something of a teacher that takes long.</summary>
    public const int SlowTeacherPreviewRows = 64;

    /// <summary>Rows that tell enough of any.</summary>
    public const int PreviewRows = 512;

    /// <summary>Every position once.</summary>
    public static long[] Create(long rows)
    {
        RowLimit.Check(rows, "A teacher that is asked about all rows in an order of its own");
        var looked = SpreadFirst(rows).ToHashSet();
        return [.. SpreadFirst(rows), .. Enumerable.Range(0, (int)rows).Select(i => (long)i).Where(i => !looked.Contains(i))];
    }

    /// <summary>At most <see cref="PreviewRows"/> positions below <paramref name="rows"/>.</summary>
    public static IEnumerable<long> SpreadFirst(long rows)
    {
        var count = (int)Math.Min(PreviewRows, rows);
        var stride = Math.Max(1, (int)Math.Ceiling(count / (double)SlowTeacherPreviewRows));
        return Enumerable.Range(0, count).OrderBy(i => i % stride == 0 ? 0 : 1).Select(i => i * rows / count);
    }
}
