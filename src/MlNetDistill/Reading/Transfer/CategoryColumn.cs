using System.IO.Hashing;
using Microsoft.ML;

namespace MlNetDistill.Reading;

/// <summary>A column of categories (text, keys, Booleans, or vectors of these), kept whole. Each value that occurs is in memory once.</summary>
/// <param name="detach">Copies a value of a cursor, which may change its memory when it moves.</param>
/// <param name="copy">Copies a value into a reader's memory.</param>
internal sealed class CategoryColumn<T>(Func<T, T> detach, CategoryColumn<T>.Copy copy) : ParentColumn
{
    private readonly Dictionary<UInt128, int> _categoryOf = [];
    private readonly List<T> _values = [];
    private readonly List<int> _categories = [];

    public delegate void Copy(in T from, ref T to);

    public override int Attributes => 1;

    public override bool IsNumeric => false;

    public override Action CreateReader(DataViewRowCursor cursor)
    {
        var column = cursor.Schema[Column.Index];
        var (bytes, get) = (new RowBytes(cursor, [column]), cursor.GetGetter<T>(column));
        T value = default!;
        return () =>
        {
            var hash = XxHash128.HashToUInt128(bytes.ReadRow());
            if (!_categoryOf.TryGetValue(hash, out var category))
            {
                _categoryOf[hash] = category = _values.Count;
                get(ref value);
                _values.Add(detach(value));
            }

            _categories.Add(category);
        };
    }

    public override double Get(int row, int slot) => _categories[row];

    public override ValueGetter<TValue> CreateGetter<TValue>(MixRule rule) =>
        Cast<TValue>((ValueGetter<T>)((ref T value) => copy(_values[_categories[rule.PickRow(FirstAttribute)]], ref value)));
}
