namespace MlNetDistill.Hostile.Running;

/// <summary>The second process: says which job it begins and what came of it, a line each.</summary>
internal static class Child
{
    public const string Begins = "@begins";
    public const string Ends = "@ends";

    /// <param name="jobs">A file with the name of a job a line.</param>
    /// <param name="attempt">Does one.</param>
    public static void Run(string jobs, Func<string, Result> attempt)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        foreach (var job in File.ReadLines(jobs))
        {
            output.WriteLine($"{Begins}\t{job}");
            var result = attempt(job);
            output.WriteLine($"{Ends}\t{job}\t{result.Verdict}\t{result.Detail.ReplaceLineEndings(" ").Replace('\t', ' ')}");
        }
    }
}
