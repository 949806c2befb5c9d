using System.Text;

namespace FidelityStudy.Report;

/// <summary>The students of each part of the teacher's knowledge side by side, and what they say, in 80 columns.</summary>
internal static class LevelsTable
{
    private const string Explanation = """
        Mean ± standard deviation over the seeds, on the test rows, in %. Gain: how much
        more accurate than the same student of labels alone, in points, seed by seed.
        """;

    public static string Format(IReadOnlyList<TrialResult> results)
    {
        var byName = results.ToDictionary(result => result.Trial.Name);
        var alone = byName[Questions.LabelsAlone];
        var text = new StringBuilder();
        text.AppendLine().AppendLine(results[0].Trial.Question);
        text.AppendLine(Line("taught", "accuracy", "gain", "agreement"));
        foreach (var result in results)
        {
            text.AppendLine(Line(
                result.Trial.Name, result.Accuracy.ToString("0.00"), result == alone ? "" : result.AccuracyBeyond(alone).ToString("+0.00;-0.00", "0.00"),
                result.TestAgreement.ToString("0.00")));
        }

        text.AppendLine().AppendLine(Explanation).AppendLine();
        text.AppendLine(Answer([.. results.Where(result => result != alone)], alone)).AppendLine();
        return text.AppendLine("At the student that was taught all of it (KD), of seed 1, on its training rows:").Append(byName[Levels.Everything].Findings[0].Diagnosis).ToString();
    }

    /// <summary>A part helps if its gain is more than twice its standard error; of one seed none is known.</summary>
    private static string Answer(IReadOnlyList<TrialResult> parts, TrialResult alone)
    {
        var seeds = alone.Findings.Count;
        if (seeds < 2)
            return "One seed shows nothing: a student of another seed may differ by more than these do.";
        var helps = parts.Where(part => part.AccuracyBeyond(alone) is var gain && gain.Mean > 2 * gain.Deviation / Math.Sqrt(seeds)).ToList();
        return helps.Count == 0
            ? $"No part makes the student more accurate by more than twice the standard error of {seeds} seeds."
            : $"More accurate by more than twice the standard error of {seeds} seeds: " + string.Join(", ", helps.OrderByDescending(part => part.AccuracyBeyond(alone).Mean).Select(part => part.Trial.Name)) + ".";
    }

    private static string Line(string name, string accuracy, string gain, string agreement) => $"  {name,-24} {accuracy,14} {gain,14} {agreement,14}".TrimEnd();
}
