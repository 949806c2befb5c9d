namespace MlNetDistill.Losses;

/// <summary>Pairs of a student's tap and a teacher's.</summary>
internal static class TapPairs
{
    public static IReadOnlyList<(int Student, int Teacher)> Checked((int Student, int Teacher)[] taps, string parameter)
    {
        ArgumentNullException.ThrowIfNull(taps, parameter);
        if (taps.Length == 0)
            throw new ArgumentOutOfRangeException(parameter, taps, "Name at least one pair of taps.");
        foreach (var (student, teacher) in taps)
        {
            Require.Tap(student, parameter);
            Require.Tap(teacher, parameter);
        }

        return [.. taps];
    }

    /// <summary>What each pair names.</summary>
    public static IEnumerable<(T Student, T Teacher)> Of<T>(
        IReadOnlyList<(int Student, int Teacher)> taps, IReadOnlyList<T> student, IReadOnlyList<T> teacher, DistillationLoss loss) =>
        taps.Select(t => (TapFeatures.At(student, t.Student, "student", loss), TapFeatures.At(teacher, t.Teacher, "teacher", loss)));
}
