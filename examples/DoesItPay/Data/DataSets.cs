namespace DoesItPay.Data;

/// <summary>All data sets by name.</summary>
internal static class DataSets
{
    private static readonly Dictionary<string, Func<bool, DataSet>> Made = new()
    {
        ["glyphs"] = Glyphs.Create,
        ["orders"] = Orders.Create,
        ["rings"] = Rings.Create,
    };

    private static readonly Dictionary<string, Func<string, DataSet>> Read = new()
    {
        ["letter"] = LetterRecognition.Load,
        ["dry-bean"] = DryBean.Load,
        ["adult"] = Adult.Load,
        ["fashion"] = FashionMnist.Load,
        ["cifar"] = Cifar.Load,
    };

    public static IReadOnlyList<string> Names => [.. Made.Keys, .. Read.Keys];

    /// <summary>The sets where the command line names none: those made by the program and, with a folder of files, all but CIFAR-100, which takes hours.</summary>
    public static IReadOnlyList<string> Usual(bool hasFiles) => [.. Made.Keys, .. hasFiles ? Read.Keys.Where(name => name != "cifar") : []];

    public static DataSet Load(string name, Settings settings)
    {
        if (Made.TryGetValue(name, out var create))
            return create(settings.Quick);
        return settings.Data is { } folder
            ? Read[name](folder)
            : throw new UsageException($"The set '{name}' is read from files: give the folder of data sets with --data.");
    }
}
