namespace MlNetDistill.Hostile.Uses;

/// <summary>All wrong uses, by theme.</summary>
internal static class UseCases
{
    // Of the cases that train, the short run tries one in so many.
    private const int ShortStep = 8;

    private static readonly (string Theme, IEnumerable<Case> Cases)[] Themes =
    [
        ("options", OptionCases.All), ("parts", PartCases.All), ("gradients", GradientCases.All), ("checkpoints", CheckpointCases.All),
        ("vectors", VectorCases.All), ("sharing", SharingCases.All), ("caches", CacheCases.All), ("acceptance", AcceptanceCases.All),
        ("columns", ColumnCases.All), ("views", ViewCases.All), ("teachers", TeacherCases.All), ("warnings", WarningCases.All),
    ];

    public static IReadOnlyList<Case> All { get; } = [.. Themes.SelectMany(theme => theme.Cases.Select(use => use with { Name = $"{theme.Theme}: {use.Name}" }))];

    private static readonly HashSet<string> Short = [.. All.Where(use => !use.IsLong).Where((use, i) => use.IsQuick || i % ShortStep == 0).Select(use => use.Name)];

    public static bool IsInShortRun(Case use) => Short.Contains(use.Name);
}
