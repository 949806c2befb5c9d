using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>Validates taps, selects the stage features that they name, and brings them to the same size.</summary>
internal static class TapFeatures
{
    public static IReadOnlyList<(int Student, int Teacher)> Validate((int Student, int Teacher)[] taps, string parameter)
    {
        ArgumentNullException.ThrowIfNull(taps, parameter);
        if (taps.Length == 0)
            throw new ArgumentOutOfRangeException(parameter, taps, "Give at least one pair of taps (student, teacher), for example (1, 1).");
        foreach (var (student, teacher) in taps)
        {
            Guard.Tap(student, parameter);
            Guard.Tap(teacher, parameter);
        }

        return [.. taps];
    }

    /// <summary>Taps from input to output; one may come twice. Of vectors the shapes do not show the order.</summary>
    public static IReadOnlyList<(int Student, int Teacher)> ValidateOrder(IReadOnlyList<(int Student, int Teacher)> taps, string parameter) => Fall(taps) is not { } whose ? taps
        : throw new ArgumentOutOfRangeException(parameter, $"Give the taps from input to output; those of the {whose} fall: {string.Join(", ", taps)}.");

    /// <summary>Whose taps do not go from input to output; null if both do.</summary>
    public static string? Fall(IReadOnlyList<(int Student, int Teacher)> taps) =>
        taps.Zip(taps.Skip(1)).Any(pair => pair.First.Student > pair.Second.Student) ? "student" : taps.Zip(taps.Skip(1)).Any(pair => pair.First.Teacher > pair.Second.Teacher) ? "teacher" : null;

    /// <summary>A warning if a pair of taps is given twice, as it counts twice then.</summary>
    public static IEnumerable<string> WarningsOf(IReadOnlyList<(int Student, int Teacher)>? taps, DistillationLoss loss) =>
        (taps ?? []).GroupBy(pair => pair).Where(group => group.Count() > 1).Select(group =>
            $"The loss '{loss.Name}' has the pair of taps {group.Key} (student, teacher) {group.Count()} times, so it counts as often. Give each pair once, unless this is meant.");

    /// <summary>The two features of each pair of taps.</summary>
    public static IEnumerable<(T Student, T Teacher)> Select<T>(
        IReadOnlyList<(int Student, int Teacher)> taps, IReadOnlyList<T> student, IReadOnlyList<T> teacher, DistillationLoss loss) =>
        taps.Select(t => (Get(student, t.Student, "student", loss), Get(teacher, t.Teacher, "teacher", loss)));

    public static T Get<T>(IReadOnlyList<T> features, int tap, string whose, DistillationLoss loss) => tap < features.Count
        ? features[tap]
        : throw new InvalidOperationException(
            $"The loss '{loss.Name}' reads tap {tap} of the {whose}, which has {features.Count} stage {(features.Count == 1 ? "feature" : "features")} (taps count from 0). Choose a smaller tap or a {whose} with more stage features.");

    /// <summary>Throws if one is a map and the other a vector.</summary>
    public static void CheckSameKind(long[] student, long[] teacher, DistillationLoss loss)
    {
        if (student.Length != teacher.Length)
        {
            throw new InvalidOperationException(
                $"The loss '{loss.Name}' cannot compare the student's feature [{string.Join(", ", student)}] with the teacher's " +
                $"[{string.Join(", ", teacher)}]: one is a map, the other a vector.");
        }
    }

    public static bool HaveSameShape(Tensor student, Tensor teacher) => student.shape.AsSpan(1).SequenceEqual(teacher.shape.AsSpan(1));

    /// <summary>Pools the larger of two maps to the size of the smaller (adaptive average pooling); vectors stay as they are.</summary>
    public static (Tensor Student, Tensor Teacher) PoolToSameSize(Tensor student, Tensor teacher)
    {
        if (student.dim() != 4 || teacher.dim() != 4)
            return (student, teacher);
        var height = Math.Min(student.shape[2], teacher.shape[2]);
        var width = Math.Min(student.shape[3], teacher.shape[3]);
        return (Pool(student, height, width), Pool(teacher, height, width));
    }

    private static Tensor Pool(Tensor map, long height, long width) =>
        map.shape[2] == height && map.shape[3] == width ? map : functional.adaptive_avg_pool2d(map, [height, width]);
}
