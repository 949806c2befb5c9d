using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>The values of some columns of a cursor's row as bytes, for a hash of them.</summary>
internal sealed class RowBytes
{
    private static readonly Dictionary<Type, Func<RowBytes, DataViewRowCursor, DataViewSchema.Column, Action>> NumberWriters = new()
    {
        [typeof(float)] = Values<float>,
        [typeof(double)] = Values<double>,
        [typeof(bool)] = Values<bool>,
        [typeof(sbyte)] = Values<sbyte>,
        [typeof(byte)] = Values<byte>,
        [typeof(short)] = Values<short>,
        [typeof(ushort)] = Values<ushort>,
        [typeof(int)] = Values<int>,
        [typeof(uint)] = Values<uint>,
        [typeof(long)] = Values<long>,
        [typeof(ulong)] = Values<ulong>,
        [typeof(DateTime)] = Values<DateTime>,
        [typeof(DateTimeOffset)] = Values<DateTimeOffset>,
        [typeof(TimeSpan)] = Values<TimeSpan>,
        [typeof(DataViewRowId)] = Values<DataViewRowId>,
    };

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly List<Action> _columns;

    /// <exception cref="InvalidOperationException">A column has values that cannot be hashed.</exception>
    public RowBytes(DataViewRowCursor cursor, IReadOnlyList<DataViewSchema.Column> columns) =>
        _columns = [.. columns.OrderBy(c => c.Name, StringComparer.Ordinal).Select(column => CreateWriter(cursor, column))];

    /// <summary>Whether the values of a column can be hashed.</summary>
    public static bool CanHash(DataViewSchema.Column column) =>
        ItemTypeOf(column) is var type && (type == typeof(ReadOnlyMemory<char>) || NumberWriters.ContainsKey(type));

    /// <summary>A hash of names and types of columns and, for keys, of the values of the keys.</summary>
    public static string HashSchema(IReadOnlyList<DataViewSchema.Column> columns) => Fingerprint.Compute(columns.OrderBy(c => c.Name, StringComparer.Ordinal).SelectMany(
        c => (string[])[c.Name, $"{c.Type}", .. AnnotatedNames.Read(c, AnnotatedNames.KeyValues) ?? []]));

    /// <summary>The bytes of the cursor's current row, valid until the next call.</summary>
    public ReadOnlySpan<byte> ReadRow()
    {
        _buffer.ResetWrittenCount();
        foreach (var write in _columns)
            write();
        return _buffer.WrittenSpan;
    }

    private static Type ItemTypeOf(DataViewSchema.Column column) => ((column.Type as VectorDataViewType)?.ItemType ?? column.Type).RawType;

    private Action CreateWriter(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        var type = ItemTypeOf(column);
        if (type == typeof(ReadOnlyMemory<char>))
            return column.Type is VectorDataViewType ? Vector<ReadOnlyMemory<char>>(cursor, column, WriteText) : Scalar<ReadOnlyMemory<char>>(cursor, column, WriteText);
        if (!NumberWriters.TryGetValue(type, out var write))
        {
            throw new InvalidOperationException(
                $"The teacher reads column '{column.Name}' ({column.Type}), whose values cannot be hashed, so a teacher cache in a folder could not recognise these data. " +
                "Give TeacherCache a CacheKey, a name that changes whenever the data do, or leave out its Folder.");
        }

        return write(this, cursor, column);
    }

    private static Action Values<T>(RowBytes bytes, DataViewRowCursor cursor, DataViewSchema.Column column)
        where T : unmanaged => column.Type is VectorDataViewType ? bytes.Vector<T>(cursor, column, bytes.WriteNumber) : bytes.Scalar<T>(cursor, column, bytes.WriteNumber);

    private Action Scalar<T>(DataViewRowCursor cursor, DataViewSchema.Column column, Action<T> write)
    {
        var get = cursor.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            get(ref value);
            write(value);
        };
    }

    /// <summary>Writes the length, then index and value of each entry that is not zero, so that sparse and dense vectors of the same values give the same bytes.</summary>
    private Action Vector<T>(DataViewRowCursor cursor, DataViewSchema.Column column, Action<T> write)
    {
        var get = cursor.GetGetter<VBuffer<T>>(column);
        var comparer = EqualityComparer<T>.Default;
        VBuffer<T> value = default;
        return () =>
        {
            get(ref value);
            WriteNumber(value.Length);
            foreach (var (index, entry) in value.Items())
            {
                if (comparer.Equals(entry, default!))
                    continue;
                WriteNumber(index);
                write(entry);
            }
        };
    }

    private void WriteNumber<T>(T value)
        where T : unmanaged => _buffer.Write(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref value, 1)));

    private void WriteText(ReadOnlyMemory<char> value)
    {
        // The length comes first, so that ("ab", "c") and ("a", "bc") give different bytes.
        WriteNumber(value.Length);
        _buffer.Write(MemoryMarshal.AsBytes(value.Span));
    }
}
