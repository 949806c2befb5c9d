using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// A view that is read more than once, for example by student and teacher, and must give the same rows each time: a few rows are compared between passes. An
/// iterator that shuffles, samples or augments gives other rows under the same ids, which would go unnoticed.
/// </summary>
internal sealed class RepeatedRows : IDataView
{
    private readonly RowSample _sample = new();
    private readonly List<DataViewSchema.Column> _compared;

    private RepeatedRows(IDataView data, List<DataViewSchema.Column> compared) => (Data, _compared) = (data, compared);

    /// <summary>The view itself.</summary>
    public IDataView Data { get; }

    public bool CanShuffle => Data.CanShuffle;

    public DataViewSchema Schema => Data.Schema;

    /// <summary>Compares the rows by the values of some columns.</summary>
    public static RepeatedRows CompareColumns(IDataView data, IEnumerable<DataViewSchema.Column> columns) => new(data, [.. columns]);

    /// <summary>Compares the rows by the values of all columns that can be hashed.</summary>
    public static IDataView CompareAllColumns(IDataView data) => data is RepeatedRows ? data : CompareColumns(data, data.Schema.Where(c => !c.IsHidden && RowBytes.CanHash(c)));

    public long? GetRowCount() => Data.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        List<DataViewSchema.Column> needed = [.. columnsNeeded];
        return new Cursor(this, new object(), needed, Data.GetRowCursor(needed.UnionBy(_compared, c => c.Index), rand), isWhole: true);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        List<DataViewSchema.Column> needed = [.. columnsNeeded];
        var pass = new object();
        return [.. Data.GetRowCursorSet(needed.UnionBy(_compared, c => c.Index), n, rand).Select(cursor => new Cursor(this, pass, needed, cursor))];
    }

    private sealed class Cursor(RepeatedRows rows, object pass, List<DataViewSchema.Column> needed, DataViewRowCursor input, bool isWhole = false) : CursorOver(input)
    {
        private readonly RowBytes _bytes = new(input, rows._compared);
        private readonly Func<RowId> _getId = input.CreateIdReader();

        public override bool MoveNext()
        {
            if (!base.MoveNext())
            {
                if (isWhole)
                    rows._sample.Complete();
                return false;
            }

            Compare(_getId());
            return true;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => needed.Exists(c => c.Index == column.Index);

        private void Compare(RowId id)
        {
            if (!rows._sample.Includes(id) || Hash() is not { } hash || rows._sample.Matches(pass, id, hash))
                return;
            throw ChangedRowsException.ForRow(id, rows._compared.Select(c => c.Name));
        }

        private UInt128? Hash()
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            try
            {
                SHA256.HashData(_bytes.ReadRow(), hash);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The row cannot be read, for example a damaged image. The reader that needs its values throws.
                return null;
            }

            return BinaryPrimitives.ReadUInt128LittleEndian(hash);
        }
    }
}
