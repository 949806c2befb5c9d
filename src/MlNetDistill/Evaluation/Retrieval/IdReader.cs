using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Reading;

namespace MlNetDistill.Evaluation;

/// <summary>Reads identities (persons, products, cameras) and numbers them. Identities of two views are the same if their texts are: keys are compared by their values' names.</summary>
internal sealed class IdReader
{
    /// <summary>The number of a row without an identity.</summary>
    public const int None = -1;

    private readonly Dictionary<string, int> _numbers = [];

    /// <summary>Creates the getter of a row's number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is of a type that holds no identities.</exception>
    public Func<int> CreateGetter(DataViewRow row, DataViewSchema.Column column) => column.Type switch
    {
        KeyDataViewType { RawType: var raw } when raw == typeof(uint) => OfKey(row, column),
        TextDataViewType => Of(row, column, (ReadOnlyMemory<char> text) => text.IsEmpty ? null : text.ToString()),
        NumberDataViewType { RawType: var raw } when raw == typeof(int) => Of(row, column, (int id) => FormattableString.Invariant($"{id}")),
        NumberDataViewType { RawType: var raw } when raw == typeof(long) => Of(row, column, (long id) => FormattableString.Invariant($"{id}")),
        NumberDataViewType { RawType: var raw } when raw == typeof(uint) => Of(row, column, (uint id) => FormattableString.Invariant($"{id}")),
        _ => throw ColumnCheck.FromColumn(column).NoIdentity(),
    };

    private Func<int> OfKey(DataViewRow row, DataViewSchema.Column column)
    {
        var names = AnnotatedNames.Read(column, AnnotatedNames.KeyValues);
        return Of(row, column, (uint key) => key == 0 ? null : names is null ? FormattableString.Invariant($"{key}") : names[(int)key - 1]);
    }

    private Func<int> Of<T>(DataViewRow row, DataViewSchema.Column column, Func<T, string?> toText)
    {
        var get = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            get(ref value);
            if (toText(value) is not { } text)
                return None;
            if (!_numbers.TryGetValue(text, out var number))
                _numbers[text] = number = _numbers.Count;
            return number;
        };
    }
}
