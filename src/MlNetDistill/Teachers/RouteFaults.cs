namespace MlNetDistill.Teachers;

/// <summary>What is wrong with the anchors of a route, of classes or of embeddings.</summary>
internal static class RouteFaults
{
    /// <summary>The faults, each as one sentence.</summary>
    /// <param name="anchors">Name and teacher of each, in order; a teacher may be missing.</param>
    /// <param name="isRoute">Whether a teacher is a route itself.</param>
    /// <param name="validate">The faults of a teacher.</param>
    public static IEnumerable<string> Find<TTeacher>(
        IReadOnlyList<(string Label, TTeacher Teacher)> anchors, Func<TTeacher, bool> isRoute, Func<TTeacher, IEnumerable<string>> validate)
        where TTeacher : class
    {
        if (anchors.Count == 0)
            yield return "A route needs at least one anchor.";
        foreach (var name in anchors.GroupBy(anchor => anchor.Label).Where(group => group.Count() > 1 && !string.IsNullOrWhiteSpace(group.Key)))
            yield return $"Every anchor of a route needs a name of its own; {name.Count()} have the name '{name.Key}'.";
        foreach (var (label, teacher) in anchors)
        {
            if (string.IsNullOrWhiteSpace(label))
                yield return "Every anchor of a route needs a name; one has none.";
            if (teacher is null)
            {
                yield return $"The anchor '{label}' has no teacher.";
                continue;
            }

            if (isRoute(teacher))
                yield return $"The anchor '{label}' is a route itself; give its anchors one by one.";
            foreach (var fault in validate(teacher))
                yield return $"Anchor '{label}': {fault}";
        }
    }
}
