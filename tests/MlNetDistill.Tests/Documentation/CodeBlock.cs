using System.Text.RegularExpressions;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Documentation;

/// <summary>A C# block of a page.</summary>
/// <param name="Page">The page, relative to the repository.</param>
/// <param name="Line">The line of its first line of code, from 1.</param>
/// <param name="Program">The name of a whole program (<c>program: NAME</c> in the comment before it); else empty.</param>
/// <param name="Snippet">The name of a block that a test runs (<c>snippet: NAME</c>); else empty.</param>
/// <param name="Given">What it uses and does not declare (<c>given: NAME, NAME</c>).</param>
/// <param name="Packages">The packages that the page adds between the block and the program before it.</param>
/// <param name="Code">The code.</param>
internal sealed partial record CodeBlock(
    string Page, int Line, string Program, string Snippet, IReadOnlyList<string> Given, IReadOnlyList<string> Packages, string Code)
{
    /// <summary>All pages for users: the READMEs and everything in docs.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        "README.md", "src/MlNetDistill.Torch/README.md", "src/MlNetDistill.Scoring/README.md", "CONTRIBUTING.md",
        .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    public static IReadOnlyList<CodeBlock> FindAll(string page)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, page));
        var blocks = new List<CodeBlock>();
        var packages = new List<string>();
        foreach (Match match in PackageOrBlock().Matches(text))
        {
            if (match.Groups["package"].Success)
            {
                packages.Add(match.Groups["package"].Value);
                continue;
            }

            var (comment, code) = (match.Groups["comment"].Value, match.Groups["code"]);
            var block = new CodeBlock(
                page, text.AsSpan(0, code.Index).Count('\n') + 1, Word("program", comment), Word("snippet", comment),
                [.. GivenNames().Match(comment).Groups[1].Captures.Select(c => c.Value)], [.. packages], code.Value);
            blocks.Add(block);
            if (block.Program.Length > 0)
                packages.Clear();
        }

        return blocks;
    }

    public override string ToString() => $"{Page}:{Line}";

    private static string Word(string key, string comment) => Regex.Match(comment, $@"\b{key}: (\w+)").Groups[1].Value;

    [GeneratedRegex(
        @"^dotnet add package (?<package>\S+)$|(?:^<!-- (?<comment>[^>]*) -->\n)?^```csharp\n(?<code>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex PackageOrBlock();

    [GeneratedRegex(@"\bgiven:(?:[ ,]+(\w+))+")]
    private static partial Regex GivenNames();
}
