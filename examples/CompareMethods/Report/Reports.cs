using CompareMethods.Data;
using CompareMethods.Training;
using Microsoft.ML;
using MlNetDistill.Reporting;

namespace CompareMethods.Report;

/// <summary>A report on the first student of each method.</summary>
internal static class Reports
{
    /// <summary>Writes the reports into folders named after the methods, and returns their number.</summary>
    public static int Write(string folder, MLContext mlContext, Workload work, Findings findings)
    {
        var alone = findings.Outcomes.Single(outcome => outcome.Setup.Name == Candidates.Alone).Runs[0].Student;
        var taught = findings.Outcomes.Where(outcome => outcome.Setup.Name != Candidates.Alone).ToList();
        foreach (var outcome in taught)
        {
            DistillationReport.Create(mlContext, new ReportInput
            {
                Title = $"{work.Title}: {outcome.Setup.Name}",
                Description = $"{outcome.Setup.Candidate.Setting}, {outcome.Setup.EpochsText} epochs, seed {outcome.Runs[0].Seed}.",
                Test = work.Test,
                Training = work.Train,
                Teacher = findings.Teacher,
                Student = outcome.Runs[0].Student,
                Alone = alone,
                LabelColumnName = "Class",
            }).Write(Path.Combine(folder, FolderOf(outcome.Setup.Name)));
        }

        return taught.Count;
    }

    private static string FolderOf(string method) =>
        string.Join('-', method.Replace('×', ' ').Split([' ', ','], StringSplitOptions.RemoveEmptyEntries)).ToLowerInvariant();
}
