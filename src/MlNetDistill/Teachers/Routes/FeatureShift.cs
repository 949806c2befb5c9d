using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

/// <summary>
/// Whether features are on another scale than those that a network was trained on, as they are where a step that normalises them was added or left out.
/// </summary>
internal static class FeatureShift
{
    private const float Far = 10;

    /// <summary>How they differ, as the end of a sentence; null where at least half of them are alike.</summary>
    public static string? Describe(InputStatistics then, InputStatistics now)
    {
        if (then.Mean.Count != now.Mean.Count)
            return null;
        var shifted = Enumerable.Range(0, then.Mean.Count).Where(i => IsShifted(then, now, i)).ToList();
        return 2 * shifted.Count < then.Mean.Count || shifted is not [var first, ..] ? null : Invariant(
            $"the first of them had mean {then.Mean[first]:0.###} and deviation {then.Deviation[first]:0.###}, and has {now.Mean[first]:0.###} and {now.Deviation[first]:0.###}");
    }

    private static bool IsShifted(InputStatistics then, InputStatistics now, int i) =>
        Math.Abs(now.Mean[i] - then.Mean[i]) > Far * then.Deviation[i] || now.Deviation[i] > Far * then.Deviation[i] || then.Deviation[i] > Far * now.Deviation[i];
}
