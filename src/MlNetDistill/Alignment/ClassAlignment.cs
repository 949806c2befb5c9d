namespace MlNetDistill.Alignment;

/// <summary>Matches a teacher's classes to the student's by name, never by position.</summary>
/// <param name="scores">The caller's description of the teacher's scores.</param>
/// <param name="part">Added to "the teacher" in messages, where it was fitted on a part of the data.</param>
/// <param name="unseen">The student's classes, from 0, that the teacher may lack, with their share of the rows; null for none.</param>
internal sealed class ClassAlignment(ScoreSpec scores, string part = "", IReadOnlyDictionary<int, double>? unseen = null)
{
    private const string Remedy =
        "Fit both to the same label values, or give a ClassMap: it renames and merges classes of the teacher, and with DropOthers it leaves out those that the " +
        "student does not have.";

    // The classes of a Boolean label, and how students may spell them.
    private static readonly string[] Booleans = [bool.FalseString, bool.TrueString];
    private static readonly (string False, string True)[] Spellings = [(bool.FalseString, bool.TrueString), ("0", "1")];

    /// <param name="count">Number of the teacher's scores.</param>
    /// <param name="annotated">The class names in the annotations of the score column, or null.</param>
    /// <param name="student">The student's classes.</param>
    /// <exception cref="InvalidOperationException">The classes differ, or have no names to match them by.</exception>
    public ClassOrder Match(int count, IReadOnlyList<string>? annotated, ClassLabels student)
    {
        // A map uses the teacher's own names.
        var teacher = scores.ClassNames ?? (scores.Map is null ? RespellBooleans(annotated, Names(student)) : annotated);
        if (count == 1)
        {
            throw new InvalidOperationException(
                $"The teacher's {scores.Place} has 1 score per row; one score for each class is needed. If the model has two classes and gives the probability of " +
                "one of them, export or compute both.");
        }

        ThrowIfReordered(annotated);
        if (teacher is not null && teacher.Count != count)
        {
            throw new InvalidOperationException(
                $"The teacher's {scores.Place} has {count} scores, but {teacher.Count} class names were given. Give one name for each score, in the order of the scores.");
        }

        if (teacher is null && student.Names is null && scores.Map is null)
        {
            // Neither side has names (keys without values): classes are numbers on both.
            return count == student.Count
                ? WithUnseen(ClassOrder.Same(count))
                : throw new InvalidOperationException(
                    $"The student has {student.Count} classes, the teacher {count}. Fit both to the same label values.");
        }

        if (teacher is null)
        {
            throw new InvalidOperationException(
                $"The teacher's {scores.Place} has no names for the classes of its {count} scores, and classes are never matched by position. " +
                $"Give {scores.Options.ClassNames} with the teacher, in the order of its scores. The student's classes are {Listed(Names(student))}.");
        }

        return MatchNames(teacher, scores.Map ?? new ClassMap(), Names(student));
    }

    /// <summary>Class names given by the caller may replace the model's own; the same names in another order are a mistake.</summary>
    private void ThrowIfReordered(IReadOnlyList<string>? annotated)
    {
        if (annotated is null || scores.ClassNames is not { } given || annotated.SequenceEqual(given)
            || !annotated.Order(StringComparer.Ordinal).SequenceEqual(given.Order(StringComparer.Ordinal)))
        {
            return;
        }

        throw new InvalidOperationException(
            $"By its own names, the scores of the teacher's {scores.Place} are in the order {Listed(annotated)}; {scores.Options.ClassNames} gives the same classes in the order " +
            $"{Listed(given)}. Leave out {scores.Options.ClassNames}: the model's own names are used.");
    }

    /// <summary>The classes of a Boolean label in the student's spelling; other names unchanged.</summary>
    private static IReadOnlyList<string>? RespellBooleans(IReadOnlyList<string>? teacher, IReadOnlyList<string> student)
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

    private ClassOrder WithUnseen(ClassOrder order) => unseen is null ? order : order with { Unseen = unseen };

    private ClassOrder MatchNames(IReadOnlyList<string> teacher, ClassMap map, string[] student)
    {
        var sources = teacher.Select((name, index) => (Name: map.Names.GetValueOrDefault(name, name), index)).ToLookup(t => t.Name, t => t.index);
        // Classes that are left out may have any name, also the same one or none.
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
            return WithUnseen(new ClassOrder([.. student.Select(name => sources[name].ToArray())]));
        throw new InvalidOperationException(
            $"The classes of the teacher{part} ({scores.Place}) and of the student differ: {string.Join("; ", differences)}. " +
            $"The teacher's {teacher.Count} classes are {Listed(teacher)}; the student's {student.Length} are {Listed(student)}. {Remedy}" +
            (AreBoolean(teacher) ? $" Or give {scores.Options.ClassNames} with the teacher: first the class that 'false' means, then the class that 'true' means." : ""));
    }

    public static string Listed(IReadOnlyCollection<string> names)
    {
        const int Shown = 12;
        return string.Join(", ", names.Take(Shown).Select(n => $"'{n}'")) + (names.Count > Shown ? $" and {names.Count - Shown} more" : "");
    }
}
