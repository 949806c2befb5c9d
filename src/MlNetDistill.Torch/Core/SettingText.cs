using System.Collections;
using System.Globalization;
using System.Reflection;

namespace MlNetDistill.Core;

/// <summary>Settings as text, the same in every culture: the ToString of options, methods and losses, and the settings in a report.</summary>
internal static class SettingText
{
    private const int MaxLinesPerValue = 3;

    // By name, because this assembly does not reference the other.
    private static readonly string?[] LibraryAssemblies = ["MlNetDistill", "MlNetDistill.Torch"];

    /// <summary>An object's kind and settings: in one line if they fit, else one line per setting.</summary>
    /// <param name="value">A record of settings, or a loss.</param>
    /// <param name="includeNull">Whether to list settings that are null.</param>
    public static string Describe(object value, bool includeNull = true)
    {
        var (kind, settings) = GetSettings(value, FindLibraryBase(value.GetType()));
        if (!includeNull)
            settings = [.. settings.Where(setting => setting.Text != "none")];
        return OneLine(kind, settings) is { Length: <= TextLines.Width } line ? line : FormatLines(kind, settings);
    }

    /// <summary>One line per setting, with the values in one column; long values are cut off.</summary>
    public static string FormatLines(string heading, IReadOnlyList<(string Name, string Text)> settings)
    {
        var column = settings.Max(setting => setting.Name.Length) + 2 + (heading.Length > 0 ? 2 : 0);
        var lines = settings.SelectMany(setting => TextLines.Wrap(setting.Text, TextLines.Width - column, MaxLinesPerValue)
            .Select((line, at) => (at == 0 ? (heading.Length > 0 ? "  " : "") + setting.Name : "").PadRight(column) + line));
        return string.Join(Environment.NewLine, heading.Length > 0 ? lines.Prepend(heading) : lines);
    }

    /// <summary>A value, in one line.</summary>
    /// <param name="value">The value of a setting.</param>
    /// <param name="declared">The type of the setting.</param>
    public static string DescribeValue(object? value, Type declared) => value switch
    {
        null => "none",
        string text => text,
        bool or Enum => $"{value}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ when FindOneLineText(value) is { } line => line,
        ValueType plain => $"{plain}",
        IEnumerable items => JoinItems(items.Cast<object>().Select(item => DescribeValue(item, declared.GetGenericArguments().FirstOrDefault(typeof(object))))),
        _ => GetSettings(value, declared) is var (kind, settings) ? OneLine(kind, settings) : "",
    };

    /// <summary>The ToString of a type of this library, if it is one line.</summary>
    private static string? FindOneLineText(object value) =>
        IsLibraryType(value.GetType().GetMethod(nameof(ToString), Type.EmptyTypes)!.DeclaringType!) && value.ToString() is { } text && !text.Contains('\n') ? text : null;

    private static string JoinItems(IEnumerable<string> items) => string.Join(", ", items) is { Length: > 0 } list ? list : "none";

    private static string OneLine(string kind, IReadOnlyList<(string Name, string Text)> settings)
    {
        var list = string.Join(", ", settings.Select(setting => $"{setting.Name} {setting.Text}"));
        return (kind, list) switch
        {
            ("", "") => "no settings",
            ("", _) => list,
            (_, "") => kind,
            _ => $"{kind} ({list})",
        };
    }

    private static (string Kind, IReadOnlyList<(string Name, string Text)> Settings) GetSettings(object value, Type declared)
    {
        var kind = GetKind(value, declared);
        var type = value.GetType();
        // A user-defined loss or method may have properties of any type, even its own type, so only plain ones are read.
        return (kind, [
            .. type.GetProperties()
                .Where(part => IsSetting(part, type) && (IsLibraryType(type) || IsPlain(part.PropertyType)))
                .Select(part => (part.Name, Text: DescribePart(part, part.GetValue(value))))
                .Where(part => part.Text != kind),
        ]);
    }

    private static string DescribePart(PropertyInfo part, object? value) =>
        value is null && part.GetCustomAttribute<WhenNullAttribute>() is { } whenNull ? whenNull.Text : DescribeValue(value, part.PropertyType);

    /// <summary>Whether a property is a setting: it can be set in a record, or, in a class of this library or derived from one, it is new in that class.</summary>
    private static bool IsSetting(PropertyInfo part, Type type) => part.GetIndexParameters().Length == 0 && part.GetMethod is { IsStatic: false } get
        && (part.SetMethod is not null || (IsLibraryType(FindLibraryBase(type)) && type.GetMethod("<Clone>$") is null && get.GetBaseDefinition() == get));

    private static bool IsPlain(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var plain && (plain.IsPrimitive || plain.IsEnum || plain == typeof(string));

    /// <summary>
    /// Its Name; else the part of its type's name that differs from the declared type: a <c>CosineSchedule</c> declared as a schedule is "Cosine". Empty if the
    /// types are equal.
    /// </summary>
    private static string GetKind(object value, Type declared)
    {
        var type = value.GetType();
        if (type.GetProperty("Name", typeof(string))?.GetValue(value) is string name)
            return name;
        if (type == declared)
            return "";
        var suffix = declared.Name[declared.Name.LastIndexOfAny([.. "ABCDEFGHIJKLMNOPQRSTUVWXYZ"])..];
        var typeName = type.Name.Split('`')[0];
        return typeName.EndsWith(suffix, StringComparison.Ordinal) ? typeName[..^suffix.Length] : typeName;
    }

    /// <summary>The base type of this library that it derives from, or the type itself.</summary>
    private static Type FindLibraryBase(Type type)
    {
        var found = type;
        for (var next = type.BaseType; next is not null; next = next.BaseType)
        {
            if (IsLibraryType(next))
                found = next;
        }

        return found;
    }

    private static bool IsLibraryType(Type type) => LibraryAssemblies.Contains(type.Assembly.GetName().Name);
}
