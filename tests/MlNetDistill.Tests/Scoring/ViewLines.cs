using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Scoring;

/// <summary>The rows of a view as lines, to the last bit: position, id, and the values of columns.</summary>
internal static class ViewLines
{
    /// <summary>All columns that are not hidden.</summary>
    public static string[] Read(IDataView view, Random? random = null) => Read(view, [.. view.Schema.Where(column => !column.IsHidden).Select(column => column.Name)], random);

    public static string[] Read(IDataView view, string[] columns, Random? random = null)
    {
        using var cursor = view.GetRowCursor(columns.Select(name => view.Schema[name]), random);
        return [.. Read(cursor, columns)];
    }

    /// <summary>The rows that a cursor has left.</summary>
    public static IEnumerable<string> Read(DataViewRowCursor cursor, string[] columns, bool withPosition = true)
    {
        var id = cursor.GetIdGetter();
        var texts = columns.Select(name => TextOf(cursor, cursor.Schema[name])).ToArray();
        DataViewRowId current = default;
        while (cursor.MoveNext())
        {
            id(ref current);
            var position = withPosition ? cursor.Position.ToString(CultureInfo.InvariantCulture) : "";
            yield return string.Join('\t', [position, $"{current.Low:x}-{current.High:x}", .. texts.Select(text => text())]);
        }
    }

    private static Func<string> TextOf(DataViewRowCursor cursor, DataViewSchema.Column column) => column.Type switch
    {
        VectorDataViewType { ItemType: NumberDataViewType item } when item == NumberDataViewType.Single => Vector<float>(cursor, column, value => $"{BitConverter.SingleToUInt32Bits(value):x8}"),
        VectorDataViewType { ItemType: NumberDataViewType } => Vector<byte>(cursor, column, value => $"{value:x2}"),
        KeyDataViewType => Single<uint>(cursor, column, value => $"#{value}"),
        TextDataViewType => Single<ReadOnlyMemory<char>>(cursor, column, value => value.ToString()),
        BooleanDataViewType => Single<bool>(cursor, column, value => $"{value}"),
        _ => Single<float>(cursor, column, value => $"{BitConverter.SingleToUInt32Bits(value):x8}"),
    };

    private static Func<string> Single<T>(DataViewRowCursor cursor, DataViewSchema.Column column, Func<T, string> text)
    {
        var get = cursor.GetGetter<T>(column);
        var value = default(T)!;
        return () =>
        {
            get(ref value);
            return text(value);
        };
    }

    private static Func<string> Vector<T>(DataViewRowCursor cursor, DataViewSchema.Column column, Func<T, string> text) =>
        Single<VBuffer<T>>(cursor, column, value => string.Join(' ', value.DenseValues().Select(text)));
}
