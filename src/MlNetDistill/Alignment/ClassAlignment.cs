
namespace MlNetDistill.Alignment;

/// <summary>Matches a teacher's classes to the student's by what they are called, never by position.</summary>
/// <param name="scores">What the caller says of the teacher's scores.</param>
/// <param name="part">What messages say after the teacher, where it was fitted on a part of the data.</param>
/// <param name="unseen">Classes of the student that the teacher may lack, from 0, with their share of the rows; null for none.</param>
internal sealed class ClassAlignment(ScoreSpec scores, string part = "", IReadOnlyDictionary<int, double>? unseen = null)
{
    private const string Remedy =
        "Both must be fitted to the same label values; or give a ClassMap, which renames and adds up classes of the teacher and, with DropOthers, leaves out those " +
        "that the student does not have.";

    // The classes of a Boolean label, which others spell in other ways.
    private static readonly string[] Booleans = [bool.FalseString, bool.TrueString];
    private static readonly (string False, string True)[] Spellings = [(bool.FalseString, bool.TrueString), ("0", "1")];

    /// <param name="count">Number of the teacher's scores.</param>
    /// <param name="found">The names that the model itself gives its scores, or null.</param>
    /// <param name="student">The student's classes.</param>
    /// <exception cref="InvalidOperationException">The classes differ, or cannot be matched for want of names.</exception>
    public ClassOrder Order(int count, IReadOnlyList<string>? found, ClassLabels student)
    {
        // A map goes by the names that the teacher has.
        var teacher = scores.ClassNames ?? (scores.Map is null ? AsStudentSpells(found, Names(student)) : found);
        if (count == 1)
        {
            throw new InvalidOperationException(
                $"The teacher's {scores.Place} has 1 score a row, and one for each class is needed. Of a model of two classes that gives the probability of one " +
                "alone, export or compute both.");
        }

        RefuseAnotherOrder(found, scores.ClassNames);
        if (teacher is not null && teacher.Count != count)
        {
            throw new InvalidOperationException(
                $"The teacher's {scores.Place} has {count} scores, and {teacher.Count} class names were given for them: give one name for each score, in their order.");
        }

        if (teacher is null && student.Names is null && scores.Map is null)
        {
            // Keys without values: the class is its number, on both sides.
            return count == student.Count
                ? ClassOrder.Same(count) with { Unseen = unseen ?? new Dictionary<int, double>() }
                : throw new InvalidOperationException(
                    $"The student has {student.Count} classes, the teacher {count}. Both must be fitted to the same label values.");
        }

        if (teacher is null)
        {
            throw new InvalidOperationException(
                $"The teacher's {scores.Place} does not say which class each of its {count} scores is for, and classes are never matched by position. " +
                $"Give {scores.Options.ClassNames} with the teacher, in the order of its scores. The student's classes are {Listed(Names(student))}.");
        }

        return Match(teacher, scores.Map ?? new ClassMap(), Names(student));
    }

    /// <summary>Names that replace the model's own may be others altogether; the same ones in another order are a slip.</summary>
    private void RefuseAnotherOrder(IReadOnlyList<string>? found, IReadOnlyList<string>? named)
    {
        if (found is null || named is null || found.SequenceEqual(named) || !found.Order(StringComparer.Ordinal).SequenceEqual(named.Order(StringComparer.Ordinal)))
            return;
        throw new InvalidOperationException(
            $"The teacher's {scores.Place} says itself that its scores are for {Listed(found)}, in this order; {scores.Options.ClassNames} names the same classes as {Listed(named)}. " +
            $"Leave out {scores.Options.ClassNames}: the model's own names are used.");
    }

    /// <summary>A teacher's class names as the student spells them, where the teacher's are those of a Boolean label; else as they are.</summary>
    private static IReadOnlyList<string>? AsStudentSpells(IReadOnlyList<string>? teacher, IReadOnlyList<string> student)
    {
        if (teacher is null || student.Count != 2 || !AreBoolean(teacher))
            return teacher;
        foreach (var (no, yes) in Spellings)
        {
            var (spelledNo, spelledYes) = (student.FirstOrDefault(name => Same(name, no)), student.FirstOrDefault(name => Same(name, yes)));
            if (spelledNo is not null && spelledYes is not null)
                return [spelledNo, spelledYes];
        }

        return teacher;

        static bool Same(string name, string spelling) => string.Equals(name, spelling, StringComparison.OrdinalIgnoreCase);
    }

    private static bool AreBoolean(IReadOnlyList<string> names) => names.SequenceEqual(Booleans);

    private static string[] Names(ClassLabels student) => [.. Enumerable.Range(0, student.Count).Select(student.NameOf)];

    private ClassOrder Match(IReadOnlyList<string> teacher, ClassMap map, string[] student)
    {
        var sources = teacher.Select((name, index) => (Name: map.Names.GetValueOrDefault(name, name), index)).ToLookup(t => t.Name, t => t.index);
        // Classes that are left out may be called anything, the same or nothing at all.
        var twice = teacher.GroupBy(name => name).Where(g => g.Count() > 1).Select(g => g.Key)
            .Where(name => !map.DropOthers || map.Names.ContainsKey(name) || student.Contains(name)).ToList();
        var unknown = map.Names.Keys.Except(teacher).ToList();
        var missing = student.Where((name, c) => !sources.Contains(name) && unseen?.ContainsKey(c) != true).ToList();
        var surplus = sources.Select(s => s.Key).Except(student).ToList();
        string[] differences =
        [
            .. twice.Count > 0 ? [$"the teacher names {Listed(twice)} more than once"] : Array.Empty<string>(),
            .. unknown.Count > 0 ? [$"the ClassMap names {Listed(unknown)}, which the teacher lacks"] : Array.Empty<string>(),
            .. missing.Count > 0 ? [$"the teacher lacks {Listed(missing)}"] : Array.Empty<string>(),
            .. surplus.Count > 0 && !map.DropOthers ? [$"the student lacks {Listed(surplus)}"] : Array.Empty<string>(),
        ];
        if (differences.Length == 0)
            return new ClassOrder([.. student.Select(name => sources[name].ToArray())]) { Unseen = unseen ?? new Dictionary<int, double>() };
        throw new InvalidOperationException(
            $"The classes of the teacher{part} ({scores.Place}) and of the student differ: {string.Join("; ", differences)}. " +
            $"The teacher's {teacher.Count} classes are {Listed(teacher)}; the student's {student.Length} are {Listed(student)}. {Remedy}" +
            (AreBoolean(teacher) ? $" Or give {scores.Options.ClassNames} with the teacher: the class that 'false' stands for, then that of 'true'." : ""));
    }

    public static string Listed(IReadOnlyCollection<string> names)
    {
        const int Shown = 12;
        return string.Join(", ", names.Take(Shown).Select(n => $"'{n}'")) + (names.Count > Shown ? $" and {names.Count - Shown} more" : "");
    }
}
