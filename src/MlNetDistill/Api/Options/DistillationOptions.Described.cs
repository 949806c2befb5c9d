using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill;

public sealed partial record DistillationOptions
{
    // All other options describe the run; these only observe or control it.
    private static readonly string[] NoSettings = [nameof(CancellationToken), nameof(Progress)];

    /// <summary>A line for each setting.</summary>
    public override string ToString() => SettingText.FormatLines("", [.. DescribeSettings().Select(setting => (setting.Name, setting.Value))]);

    /// <summary>Every setting, by name, as text.</summary>
    internal IReadOnlyList<ReportedSetting> DescribeSettings() =>
    [
        .. typeof(DistillationOptions).GetProperties()
            .Where(property => !NoSettings.Contains(property.Name))
            .Select(property => new ReportedSetting(property.Name, property.GetValue(this) switch
            {
                IDataView => "a view of its own",
                var value => SettingText.DescribeValue(value, property.PropertyType),
            })),
    ];
}
