using System.Text.Json;

namespace MlNetDistill.Teachers;

/// <summary>What the caller says of a teacher's scores.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="ClassNames">The class of each, or null where the model says it itself.</param>
/// <param name="Map">How they become the student's classes.</param>
internal sealed record ScoreSettings(ScoreKind Kind, IReadOnlyList<string>? ClassNames, ClassMap? Map)
{
    /// <summary>All of it as text, for the key of a record.</summary>
    public string Description => JsonSerializer.Serialize(new { Kind = $"{Kind}", ClassNames, Names = Map?.Names.OrderBy(n => n.Key, StringComparer.Ordinal), Map?.DropOthers });

    public IEnumerable<string> Faults()
    {
        if (!Enum.IsDefined(Kind))
            yield return $"ScoreKind has no value {Kind}.";
        if (ClassNames?.Any(name => name is null || (name.Length == 0 && Map is not { DropOthers: true })) == true)
            yield return "Every one of classNames must be a name; one is empty. A ClassMap with DropOthers leaves classes out, and then their names may be empty.";
        if (Map is { Names: null })
            yield return "ClassMap.Names must be given; it is empty where all names are kept.";
        else if (Map?.Names.FirstOrDefault(n => string.IsNullOrEmpty(n.Value)) is { Key: { } from })
            yield return $"ClassMap.Names must give a class of the student for '{from}'; was empty.";
    }
}
