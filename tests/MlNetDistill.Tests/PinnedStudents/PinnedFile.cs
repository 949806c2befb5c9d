using System.Globalization;
using System.Text;
using System.Text.Json;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>What is pinned of a student: a hash of its weights and scores, and the scores of two rows, four classes at most, to four digits.</summary>
internal sealed record PinnedStudent(string Sha256, double[][] Scores);

/// <summary>The pinned values, a line for each case, beside the tests in the source folder.</summary>
internal sealed record PinnedFile(string Machine, SortedDictionary<string, PinnedStudent> Students)
{
    private static readonly string Path = System.IO.Path.Combine(Repository.Root, "tests", "MlNetDistill.Tests", "PinnedStudents", "pinned-students.json");

    public static PinnedFile Read()
    {
        var students = new SortedDictionary<string, PinnedStudent>(StringComparer.Ordinal);
        if (!File.Exists(Path))
            return new PinnedFile("", students);
        using var file = JsonDocument.Parse(File.ReadAllText(Path));
        foreach (var entry in file.RootElement.GetProperty("students").EnumerateObject())
        {
            students.Add(entry.Name, new PinnedStudent(
                entry.Value.GetProperty("sha256").GetString()!,
                [.. entry.Value.GetProperty("scores").EnumerateArray().Select(row => row.EnumerateArray().Select(score => score.GetDouble()).ToArray())]));
        }

        return new PinnedFile(file.RootElement.GetProperty("machine").GetString()!, students);
    }

    public void Write()
    {
        var lines = Students.Select(s => $"    {JsonSerializer.Serialize(s.Key)}: {{ \"scores\": [{string.Join(", ", s.Value.Scores.Select(Row))}], \"sha256\": \"{s.Value.Sha256}\" }}");
        File.WriteAllText(
            Path, $"{{\n  \"machine\": \"{Machine}\",\n  \"students\": {{\n{string.Join(",\n", lines)}\n  }}\n}}\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    private static string Row(double[] scores) => $"[{string.Join(", ", scores.Select(score => score.ToString("0.0000", CultureInfo.InvariantCulture)))}]";
}
