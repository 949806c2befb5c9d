using System.Text.RegularExpressions;

namespace MlNetDistill.Tests.Packages;

/// <summary>A program of a README, marked by <c>program: NAME</c>, and the packages that are added between it and the program before.</summary>
internal sealed partial record ReadmeProgram(string Name, IReadOnlyList<string> Packages, string Code)
{
    public static IReadOnlyList<ReadmeProgram> Of(string readme)
    {
        var programs = new List<ReadmeProgram>();
        var packages = new List<string>();
        foreach (Match match in PackageOrProgram().Matches(File.ReadAllText(readme)))
        {
            if (match.Groups["package"].Success)
            {
                packages.Add(match.Groups["package"].Value);
                continue;
            }
            programs.Add(new ReadmeProgram(match.Groups["name"].Value, [.. packages], match.Groups["code"].Value));
            packages.Clear();
        }
        return programs;
    }

    [GeneratedRegex(
        @"^dotnet add package (?<package>\S+)$|<!-- program: (?<name>\w+) -->\n```csharp\n(?<code>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex PackageOrProgram();
}
