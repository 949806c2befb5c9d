namespace MlNetDistill.Alignment;

/// <summary>The classes of a Boolean label, which others spell in other ways.</summary>
internal static class BooleanNames
{
    private static readonly string[] Teachers = [bool.FalseString, bool.TrueString];
    private static readonly (string False, string True)[] Spellings = [(bool.FalseString, bool.TrueString), ("0", "1")];

    /// <summary>A teacher's class names as the student spells them, where the teacher's are those of a Boolean label; else as they are.</summary>
    public static IReadOnlyList<string>? As(IReadOnlyList<string>? teacher, IReadOnlyList<string> student)
    {
        if (teacher is null || student.Count != 2 || !AreOf(teacher))
            return teacher;
        foreach (var (no, yes) in Spellings)
        {
            var (spelledNo, spelledYes) = (student.FirstOrDefault(name => Same(name, no)), student.FirstOrDefault(name => Same(name, yes)));
            if (spelledNo is not null && spelledYes is not null)
                return [spelledNo, spelledYes];
        }

        return teacher;
    }

    /// <summary>Whether they are those of a Boolean label.</summary>
    public static bool AreOf(IReadOnlyList<string> names) => names.SequenceEqual(Teachers);

    private static bool Same(string name, string spelling) => string.Equals(name, spelling, StringComparison.OrdinalIgnoreCase);
}
