using System.Reflection;
using System.Text.RegularExpressions;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Documentation;

/// <summary>Names that a page's sentences have in code spans. A renamed type or member must not live on there.</summary>
internal static partial class DocumentedNames
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;

    private static readonly ILookup<string, Type> Types = new[] { typeof(NetworkSpec), typeof(DistillationTrainer), typeof(BatchScorer) }
        .SelectMany(type => type.Assembly.GetTypes()).ToLookup(type => type.Name.Split('`')[0]);

    // Words of the code: names of ML.NET, TorchSharp and the examples are there as well.
    private static readonly HashSet<string> Words =
    [
        .. new[] { "src", "tests", "examples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/Documentation/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => Word().Matches(File.ReadAllText(file)).Select(match => match.Value)),
        .. Directory.EnumerateDirectories(Path.Combine(Repository.Root, "examples")).Select(folder => Path.GetFileName(folder)),
    ];

    /// <summary>Members that our types lack, and names of several words that no code has, in the order of the page.</summary>
    public static IReadOnlyList<string> Unknown(string page)
    {
        var spans = Span().Matches(Block().Replace(page, "")).Select(match => match.Groups[1].Value).Where(span => !FileName().IsMatch(span)).ToList();
        return [.. spans.SelectMany(span => Member().Matches(span).Select(match => match.Value).Where(IsNoMember)
            .Concat(Word().Matches(span).Select(match => match.Value).Where(word => Compound().IsMatch(word) && !Words.Contains(word))))];
    }

    private static bool IsNoMember(string name)
    {
        var (type, member) = (name.Split('.')[0], name.Split('.')[1]);
        return Types.Contains(type) && !Types[type].Any(declaring => declaring.GetMember(member, All).Length > 0);
    }

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"`([^`\n]+)`")]
    private static partial Regex Span();

    // Files, folders and packages.
    [GeneratedRegex(@"/|\.(?:cs|md|txt|json|props|csproj)\b|^Microsoft\.")]
    private static partial Regex FileName();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*\.[A-Z]\w*")]
    private static partial Regex Member();

    [GeneratedRegex(@"\b[A-Z]\w*\b")]
    private static partial Regex Word();

    [GeneratedRegex("^(?:[A-Z][a-z0-9]+){2,}$")]
    private static partial Regex Compound();
}
