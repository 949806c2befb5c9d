using static System.FormattableString;

namespace MlNetDistill.Methods;

/// <summary>Sentences about numbers out of their range.</summary>
internal static class SettingFaults
{
    public static IEnumerable<string> Above0(string name, double value) => Unless(value > 0 && double.IsFinite(value), Invariant($"{name} must be above 0; was {value}."));

    public static IEnumerable<string> AtLeast0(string name, double value) => Unless(value >= 0 && double.IsFinite(value), Invariant($"{name} must be at least 0; was {value}."));

    public static IEnumerable<string> Share(string name, double value) => Unless(value >= 0 && value <= 1, Invariant($"{name} must be in [0, 1]; was {value}."));

    private static IEnumerable<string> Unless(bool right, string fault) => right ? [] : [fault];
}
