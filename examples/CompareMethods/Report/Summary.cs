using CompareMethods.Data;
using CompareMethods.Training;
using static System.FormattableString;

namespace CompareMethods.Report;

/// <summary>Printed after the table: the rules, the search, the time of a step, and which methods are better than KD.</summary>
internal static class Summary
{
    public static void Print(Workload work, Findings findings)
    {
        Heading("How it was compared");
        foreach (var rule in Conclusions.Rules(work, findings.Outcomes))
            Console.WriteLine(rule);

        Heading("Settings tried, with their accuracy on the held-out rows; * chosen");
        foreach (var search in findings.Searches)
        {
            foreach (var (candidate, accuracy) in search.Tried)
            {
                var share = accuracy is { } known ? Invariant($"{100 * known:0.00} %") : "none";
                Console.WriteLine($"{(candidate == search.Chosen ? '*' : ' ')} {search.Method,-14}{share,8}  {candidate.Setting}");
            }
        }

        Heading("Time of a training step divided by KD's (for each stage the median over its epochs)");
        Console.WriteLine(string.Join(", ", Conclusions.StepCosts(findings.Outcomes).Select(step => Invariant($"{step.Method} {step.Cost:0.00}"))));

        Heading("What the accuracies say");
        foreach (var verdict in Conclusions.Verdicts(findings.Outcomes))
            Console.WriteLine(verdict);
    }

    private static void Heading(string text) => Console.WriteLine($"{Environment.NewLine}{text}");
}
