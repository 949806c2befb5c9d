using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Alignment;

/// <summary>What the caller says of a teacher's scores.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="ClassNames">The class of each, or null where the model says it itself.</param>
/// <param name="Map">How they become the student's classes.</param>
internal sealed record ScoreSettings(ScoreKind Kind, IReadOnlyList<string>? ClassNames, ClassMap? Map)
{
    /// <summary>All of it as text, for the key of a record.</summary>
    public string Description => JsonSerializer.Serialize(new { Kind = $"{Kind}", ClassNames, Names = Map?.Names.OrderBy(n => n.Key, StringComparer.Ordinal), Map?.DropOthers });

    /// <summary>The student's classes where no label says them, as a key column: those that the caller names; null where he names none.</summary>
    public DataViewSchema.Column? Classes() => ClassNames is { } names ? ClassColumn.Of(Mapped(names)) : null;

    /// <summary>What a teacher's classes are called by the student: with <see cref="ClassMap.DropOthers"/> those alone that the map lists.</summary>
    public IReadOnlyList<string> Mapped(IReadOnlyList<string> names) => Map is null ? names :
    [
        .. names.Where(name => !Map.DropOthers || Map.Names.ContainsKey(name)).Select(name => Map.Names.GetValueOrDefault(name, name)).Distinct(),
    ];

    public IEnumerable<string> Validate()
    {
        foreach (var fault in Faults.Defined("ScoreKind", Kind))
            yield return fault;
        if (ClassNames?.Any(name => name is null || (name.Length == 0 && Map is not { DropOthers: true })) == true)
            yield return "Every one of classNames must be a name; one is empty. A ClassMap with DropOthers leaves classes out, and then their names may be empty.";
        if (Map is { Names: null })
            yield return "ClassMap.Names must be given; it is empty where all names are kept.";
        else if (Map?.Names.FirstOrDefault(n => string.IsNullOrEmpty(n.Value)) is { Key: { } from })
            yield return $"ClassMap.Names must give a class of the student for '{from}'; was empty.";
    }
}
