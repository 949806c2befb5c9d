using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>
/// Which stage feature of the student learns which of the teacher: indices of taps, from 0. By default the taps of a network are grouped by
/// resolution, the last tap of each resolution standing for its stage (in a perceptron every hidden layer is a stage), and the student's n stages are
/// spread over the teacher's, last to last.
/// </summary>
/// <param name="StudentTap">Index into the student's stage features.</param>
/// <param name="TeacherTap">Index into the teacher's stage features.</param>
public sealed record StagePair(int StudentTap, int TeacherTap)
{
    /// <summary>The default pairs for two networks.</summary>
    /// <exception cref="InvalidOperationException">One of them has no stage features.</exception>
    public static IReadOnlyList<StagePair> ByResolution(OutputShapes student, OutputShapes teacher) => ByResolution(student, teacher, "Stage-by-stage distillation");

    /// <summary>The default pairs for two networks, for the method of that name.</summary>
    internal static IReadOnlyList<StagePair> ByResolution(OutputShapes student, OutputShapes teacher, string method)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        var mine = GetLastTapOfEachResolution(student, "student", method);
        var theirs = GetLastTapOfEachResolution(teacher, "teacher", method);
        return [.. mine.Select((tap, i) => new StagePair(tap, theirs[GetTeacherStage(i + 1, mine.Count, theirs.Count) - 1]))];
    }

    /// <summary>What is wrong with pairs as a sequence of stages, each as one sentence.</summary>
    internal static IEnumerable<string> Validate(IReadOnlyList<StagePair> pairs)
    {
        if (pairs.Count == 0)
            yield return "Stage-by-stage distillation needs at least one pair of stages.";
        if (pairs.Any(p => p.StudentTap < 0 || p.TeacherTap < 0))
            yield return $"The taps of stage pairs must be at least 0; were {string.Join(", ", pairs)}.";
        if (pairs.Zip(pairs.Skip(1)).Any(p => p.First.StudentTap >= p.Second.StudentTap))
            yield return $"The student's taps must rise from stage to stage; were {NumberText.Join(pairs.Select(p => p.StudentTap))}.";
        if (pairs.Zip(pairs.Skip(1)).Any(p => p.First.TeacherTap > p.Second.TeacherTap))
            yield return $"The teacher's taps must not fall from stage to stage; were {NumberText.Join(pairs.Select(p => p.TeacherTap))}.";
    }

    /// <summary>What is wrong with the order of pairs of which a tap may come twice.</summary>
    internal static IEnumerable<string> ValidateOrder(string method, IReadOnlyList<StagePair> pairs)
    {
        if (TapFeatures.Fall([.. pairs.Select(pair => (pair.StudentTap, pair.TeacherTap))]) is { } whose)
            yield return $"{method}'s taps must go from input to output; those of the {whose} fall: {string.Join(", ", pairs)}.";
    }

    /// <summary>What is wrong with pairs whose order does not matter, each as one sentence.</summary>
    internal static IEnumerable<string> ValidateTaps(string method, IReadOnlyList<StagePair> pairs)
    {
        if (pairs.Count == 0)
            yield return $"{method} needs at least one pair of taps.";
        if (pairs.Any(p => p.StudentTap < 0 || p.TeacherTap < 0))
            yield return $"{method}'s taps must be at least 0; were {string.Join(", ", pairs)}.";
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{StudentTap}←{TeacherTap}");

    // Rounded up, so that a student with fewer stages skips early stages of the teacher, not late ones.
    private static int GetTeacherStage(int stage, int stages, int teacherStages) => (int)Math.Ceiling(stage * teacherStages / (double)stages);

    private static List<int> GetLastTapOfEachResolution(OutputShapes shapes, string model, string method)
    {
        var features = shapes.StageFeatures;
        if (features.Count == 0)
            throw new InvalidOperationException($"{method} needs stage features, and the {model} has none.");
        bool SameResolution(int a, int b) => features[a].Length == 3 && features[b].Length == 3 && features[a][1..].SequenceEqual(features[b][1..]);
        return [.. Enumerable.Range(0, features.Count).Where(i => i == features.Count - 1 || !SameResolution(i, i + 1))];
    }
}
