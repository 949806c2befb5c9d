using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

/// <summary>
/// Detects features on another scale than those that a network was trained on, for example because a normalising step was added or left out.
/// </summary>
internal static class FeatureShift
{
    private const float Far = 10;

    /// <summary>Describes the difference; null if less than half of the features are on another scale.</summary>
    public static string? Describe(InputStatistics before, InputStatistics now)
    {
        if (before.Mean.Count != now.Mean.Count)
            return null;
        var shifted = Enumerable.Range(0, before.Mean.Count).Where(i => IsShifted(before, now, i)).ToList();
        return 2 * shifted.Count < before.Mean.Count || shifted is not [var first, ..] ? null : Invariant(
            $"the first of them had mean {before.Mean[first]:0.###} and deviation {before.Deviation[first]:0.###}, and has {now.Mean[first]:0.###} and {now.Deviation[first]:0.###}");
    }

    private static bool IsShifted(InputStatistics before, InputStatistics now, int i) =>
        Math.Abs(now.Mean[i] - before.Mean[i]) > Far * before.Deviation[i] || now.Deviation[i] > Far * before.Deviation[i] || before.Deviation[i] > Far * now.Deviation[i];
}
