using System.Collections;
using System.Globalization;
using MlNetDistill.Evaluation;
using MlNetDistill.Networks;

namespace MlNetDistill;

public sealed partial record DistillationOptions
{
    // All others say what a run was told to do; these, who listens to it.
    private static readonly string[] NoSettings = [nameof(CancellationToken), nameof(Progress)];

    /// <summary>Every setting, by name, as text.</summary>
    internal IReadOnlyList<ReportedSetting> Described() =>
    [
        .. typeof(DistillationOptions).GetProperties()
            .Where(property => !NoSettings.Contains(property.Name))
            .Select(property => new ReportedSetting(property.Name, Described(property.GetValue(this)))),
    ];

    private static string Described(object? value) => value switch
    {
        null => "none",
        string text => text,
        Teacher teacher => teacher.Name,
        NetworkSpec network => network.Name,
        Microsoft.ML.IDataView => "a view of its own",
        bool or Enum => $"{value}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => items.Cast<object?>().Select(Described).ToList() is { Count: > 0 } several ? string.Join(", ", several) : "none",
        _ => Parts(value),
    };

    /// <summary>A record by its name, or its type's where it has none, and its own settings.</summary>
    private static string Parts(object value)
    {
        var type = value.GetType();
        var parts = type.GetProperties().Where(p => p.SetMethod is not null && p.GetIndexParameters().Length == 0).Select(p => $"{p.Name} {Described(p.GetValue(value))}").ToList();
        var name = type.GetProperty("Name", typeof(string))?.GetValue(value) as string ?? type.Name;
        return parts.Count > 0 ? $"{name} ({string.Join(", ", parts)})" : name;
    }
}
