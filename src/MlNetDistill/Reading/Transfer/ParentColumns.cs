using System.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>Creates the store of a column's values by the type of the column.</summary>
internal static class ParentColumns
{
    private delegate ParentColumn Factory(DataViewSchema.Column column, int firstAttribute, bool isCategorical);

    private static readonly Dictionary<Type, Factory> Numbers = new()
    {
        [typeof(float)] = Number<float>,
        [typeof(double)] = Number<double>,
        [typeof(sbyte)] = Number<sbyte>,
        [typeof(byte)] = Number<byte>,
        [typeof(short)] = Number<short>,
        [typeof(ushort)] = Number<ushort>,
        [typeof(int)] = Number<int>,
        [typeof(uint)] = Number<uint>,
        [typeof(long)] = Number<long>,
        [typeof(ulong)] = Number<ulong>,
    };

    private static readonly Dictionary<Type, Factory> Categories = new()
    {
        [typeof(ReadOnlyMemory<char>)] = (column, first, _) => Category<ReadOnlyMemory<char>>(column, first, text => text.ToString().AsMemory()),
        [typeof(bool)] = (column, first, _) => Category<bool>(column, first, value => value),
        [typeof(byte)] = (column, first, _) => Category<byte>(column, first, value => value),
        [typeof(ushort)] = (column, first, _) => Category<ushort>(column, first, value => value),
        [typeof(uint)] = (column, first, _) => Category<uint>(column, first, value => value),
        [typeof(ulong)] = (column, first, _) => Category<ulong>(column, first, value => value),
    };

    /// <summary>The store of a column; null if its values can be neither mixed nor exchanged.</summary>
    /// <param name="column">The column.</param>
    /// <param name="firstAttribute">The number of its first attribute.</param>
    /// <param name="isCategorical">Whether its numbers are categories.</param>
    public static ParentColumn? Create(DataViewSchema.Column column, int firstAttribute, bool isCategorical)
    {
        var item = (column.Type as VectorDataViewType)?.ItemType ?? column.Type;
        var isNumber = item is NumberDataViewType && column.Type is not VectorDataViewType { Size: 0 };
        var factories = isNumber ? Numbers : item is KeyDataViewType or TextDataViewType or BooleanDataViewType ? Categories : [];
        return factories.GetValueOrDefault(item.RawType)?.Invoke(column, firstAttribute, isCategorical);
    }

    private static NumberColumn<T> Number<T>(DataViewSchema.Column column, int first, bool isCategorical)
        where T : unmanaged, INumber<T>
    {
        var vector = column.Type as VectorDataViewType;
        return new(vector is not null, vector?.Size ?? 1, isCategorical) { Column = column, FirstAttribute = first };
    }

    private static ParentColumn Category<T>(DataViewSchema.Column column, int first, Func<T, T> detach) => column.Type is not VectorDataViewType
        ? new CategoryColumn<T>(detach, (in T from, ref T to) => to = from) { Column = column, FirstAttribute = first }
        : new CategoryColumn<VBuffer<T>>(
            values => new VBuffer<T>(values.Length, [.. values.DenseValues().Select(detach)]),
            (in VBuffer<T> from, ref VBuffer<T> to) => from.CopyTo(ref to))
        {
            Column = column,
            FirstAttribute = first,
        };
}
