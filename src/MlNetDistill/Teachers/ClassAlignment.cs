using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Schema;

namespace MlNetDistill.Teachers;

/// <summary>Matches a teacher's classes to the student's by what they are called, never by position.</summary>
internal static class ClassAlignment
{
    /// <summary>For each class of the student the index of the teacher's score for it.</summary>
    /// <param name="score">The teacher's score column; its annotations name its classes.</param>
    /// <param name="givenNames">Names given by the caller in the order of the scores, or null.</param>
    /// <param name="student">The student's classes.</param>
    /// <param name="place">What messages say after the teacher, where it was fitted on a part of the data.</param>
    /// <exception cref="InvalidOperationException">The classes differ, or cannot be matched for want of names.</exception>
    public static int[] Order(DataViewSchema.Column score, IReadOnlyList<string>? givenNames, ClassLabels student, string place = "")
    {
        var count = ((VectorDataViewType)score.Type).Size;
        var teacher = givenNames
            ?? AnnotatedNames.Read(score, AnnotatedNames.TrainingLabelValues)
            ?? AnnotatedNames.Read(score, AnnotatedNames.SlotNames);
        if (teacher is not null && teacher.Count != count)
        {
            throw new InvalidOperationException(
                $"The teacher's column '{score.Name}' has {count} scores, and {teacher.Count} class names were given for them: " +
                "give one name for each score, in their order.");
        }

        if (teacher is null && student.Names is null)
        {
            // Keys without values: the class is its number, on both sides.
            return count == student.Count
                ? [.. Enumerable.Range(0, count)]
                : throw new InvalidOperationException(
                    $"The student has {student.Count} classes, the teacher {count} (column '{score.Name}'). Both must be fitted to the same label values.");
        }

        if (teacher is null)
        {
            throw new InvalidOperationException(
                $"The teacher's column '{score.Name}' does not say which class each of its {count} scores is for, and classes are never matched by position. " +
                $"Give classNames with the teacher, in the order of its scores. The student's classes are {Listed(student.Names!)}.");
        }

        return Match(teacher, [.. Enumerable.Range(0, student.Count).Select(student.NameOf)], score.Name, place);
    }

    private static int[] Match(IReadOnlyList<string> teacher, string[] student, string column, string place)
    {
        var indexOf = teacher.Select((name, index) => (name, index)).ToLookup(t => t.name, t => t.index);
        var twice = indexOf.Where(g => g.Count() > 1).Select(g => g.Key).ToList();
        var missing = student.Where(name => !indexOf.Contains(name)).ToList();
        var surplus = teacher.Except(student).ToList();
        if (twice.Count == 0 && missing.Count == 0 && surplus.Count == 0)
            return [.. student.Select(name => indexOf[name].Single())];
        string[] differences =
        [
            .. twice.Count > 0 ? [$"the teacher names {Listed(twice)} more than once"] : Array.Empty<string>(),
            .. missing.Count > 0 ? [$"the teacher lacks {Listed(missing)}"] : Array.Empty<string>(),
            .. surplus.Count > 0 ? [$"the student lacks {Listed(surplus)}"] : Array.Empty<string>(),
        ];
        throw new InvalidOperationException(
            $"The teacher{place} (column '{column}', {teacher.Count} classes) and the student ({student.Length} classes) differ: {string.Join("; ", differences)}. " +
            "Both must be fitted to the same label values.");
    }

    private static string Listed(IReadOnlyCollection<string> names)
    {
        const int Shown = 12;
        return string.Join(", ", names.Take(Shown).Select(n => $"'{n}'")) + (names.Count > Shown ? $" and {names.Count - Shown} more" : "");
    }
}
