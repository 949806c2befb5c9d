namespace MlNetDistill.Losses;

/// <summary>Pairs of one tap of the student and one of the teacher.</summary>
internal static class TapPairs
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

    /// <summary>The two features of each pair.</summary>
    public static IEnumerable<(T Student, T Teacher)> Select<T>(
        IReadOnlyList<(int Student, int Teacher)> taps, IReadOnlyList<T> student, IReadOnlyList<T> teacher, DistillationLoss loss) =>
        taps.Select(t => (TapFeatures.Get(student, t.Student, "student", loss), TapFeatures.Get(teacher, t.Teacher, "teacher", loss)));
}
