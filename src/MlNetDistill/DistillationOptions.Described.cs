using System.Collections;
using System.Globalization;
using System.Reflection;
using MlNetDistill.Evaluation;
using MlNetDistill.Networks;

namespace MlNetDistill;

public sealed partial record DistillationOptions
{
    // All others say what a run was told to do; these, who listens to it.
    private static readonly string[] NoSettings = [nameof(CancellationToken), nameof(Progress)];
    private static readonly Assembly[] OurAssemblies = [typeof(DistillationOptions).Assembly, typeof(NetworkSpec).Assembly];

    /// <summary>Every setting, by name, as text.</summary>
    internal IReadOnlyList<ReportedSetting> Described() =>
    [
        .. typeof(DistillationOptions).GetProperties()
            .Where(property => !NoSettings.Contains(property.Name))
            .Select(property => new ReportedSetting(property.Name, Described(property.GetValue(this), property.PropertyType))),
    ];

    private static string Described(object? value, Type declared) => value switch
    {
        null => "none",
        string text => text,
        Teacher teacher => teacher.Name,
        NetworkSpec network => network.Name,
        Microsoft.ML.IDataView => "a view of its own",
        bool or Enum => $"{value}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        ValueType plain => $"{plain}",
        IEnumerable items => Listed(items.Cast<object>().Select(item => Described(item, declared.GetGenericArguments().FirstOrDefault(typeof(object))))),
        _ => Parts(value, declared),
    };

    private static string Listed(IEnumerable<string> items) => string.Join(", ", items) is { Length: > 0 } list ? list : "none";

    /// <summary>A record by its kind and its own settings.</summary>
    private static string Parts(object value, Type declared)
    {
        var kind = Kind(value, declared);
        // A loss or method of the user's own may hold anything, itself among it; and this is done when its student is trained.
        var isOurs = OurAssemblies.Contains(value.GetType().Assembly);
        var parts = value.GetType().GetProperties()
            .Where(part => part.SetMethod is { IsStatic: false } && part.GetIndexParameters().Length == 0 && (isOurs || IsPlain(part.PropertyType)))
            .Select(part => (part.Name, Text: Described(part.GetValue(value), part.PropertyType)))
            .Where(part => part.Text != kind)
            .Select(part => $"{part.Name} {part.Text}")
            .ToList();
        return (kind, parts.Count) switch
        {
            ("", _) => string.Join(", ", parts),
            (_, 0) => kind,
            _ => $"{kind} ({string.Join(", ", parts)})",
        };
    }

    private static bool IsPlain(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var plain && (plain.IsPrimitive || plain.IsEnum || plain == typeof(string));

    /// <summary>
    /// What it calls itself; else what its type adds to the declared one: a <c>CosineSchedule</c> among schedules is Cosine, the only kind of its type
    /// nothing.
    /// </summary>
    private static string Kind(object value, Type declared)
    {
        var type = value.GetType();
        if (type.GetProperty("Name", typeof(string))?.GetValue(value) is string name)
            return name;
        if (type == declared)
            return "";
        var word = declared.Name[declared.Name.LastIndexOfAny([.. "ABCDEFGHIJKLMNOPQRSTUVWXYZ"])..];
        return type.Name.EndsWith(word, StringComparison.Ordinal) ? type.Name[..^word.Length] : type.Name;
    }
}
