using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;

namespace MlNetDistill.Reading;

/// <summary>Reads a label column of keys or text as numbers of the student's classes, matched by name.</summary>
internal sealed class LabelReader(DataViewSchema.Column label, IReadOnlyList<string> classes)
{
    private const int None = -1;
    private readonly Dictionary<string, int> _numbers = classes.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal);

    /// <summary>Creates a function that reads the class of the cursor's current row, given the row's number; null if the label is missing.</summary>
    public Func<long, int?> CreateGetter(DataViewRowCursor cursor) => label.Type is KeyDataViewType ? GetKeys(cursor) : GetTexts(cursor);

    private Func<long, int?> GetKeys(DataViewRowCursor cursor)
    {
        var get = cursor.GetGetter<uint>(label);
        var names = AnnotatedNames.Read(label, AnnotatedNames.KeyValues);
        // Keys without values are numbers of classes.
        var numbers = names?.Select(name => _numbers.GetValueOrDefault(name, None)).ToArray() ?? [.. Enumerable.Range(0, classes.Count)];
        uint key = 0;
        return row =>
        {
            get(ref key);
            if (key == 0)
                return null;
            var number = key <= numbers.Length ? numbers[key - 1] : None;
            return number != None ? number : throw CreateUnknownLabelError(row, names is null ? (key - 1).ToString(CultureInfo.InvariantCulture) : names[(int)key - 1]);
        };
    }

    private Func<long, int?> GetTexts(DataViewRowCursor cursor)
    {
        var get = cursor.GetGetter<ReadOnlyMemory<char>>(label);
        var numbers = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        ReadOnlyMemory<char> text = default;
        return row =>
        {
            get(ref text);
            if (text.IsEmpty)
                return null;
            return numbers.TryGetValue(text.Span, out var number) ? number : throw CreateUnknownLabelError(row, text.ToString());
        };
    }

    private InvalidOperationException CreateUnknownLabelError(long row, string found) => new(
        $"Row {row} (counted from 0) has the label '{found}' in column '{label.Name}', which is none of the student's classes: " +
        $"{ClassAlignment.Listed(classes)}. Leave such rows out, or use the key column that the student's own pipeline makes of the label: there it counts " +
        "as missing, and the row for fidelity alone.");
}
