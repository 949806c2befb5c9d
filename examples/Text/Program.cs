using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reporting;
using TextExample;
using TextExample.Report;
using TextExample.Training;
using TorchSharp;

return CommandLine.Run(Settings.Command(Run), args);

static int Run(Settings settings)
{
    // The student's steps are so small that several threads wait for each other longer than they compute.
    torch.set_num_threads(1);
    Console.WriteLine($"{Settings.Labelled:N0} messages with a label, {settings.Unlabelled:N0} without, {settings.Test:N0} to test; seeds: {settings.Seeds}.");
    var repetitions = new List<Repetition>();
    for (var seed = 1; seed <= settings.Seeds; seed++)
    {
        repetitions.Add(new Repetition(settings, seed));
        Console.WriteLine($"Seed {seed}: {string.Join("; ", repetitions[^1].Findings.Select(finding => $"{finding.Name} {finding.Accuracy:0.0 %}"))}");
    }

    ResultsTable.Print(repetitions);
    return Release(repetitions[0]);
}

// The first student is released if it pays: smaller and faster than its teacher, and no less accurate than without it.
static int Release(Repetition first)
{
    var mlContext = first.MLContext;
    mlContext.Model.SaveAtomically(first.Distilled.Model, first.InputSchema, "student.zip");
    var report = DistillationReport.Create(mlContext, new ReportInput
    {
        Title = "Messages to a shop, a small student of a large text model",
        Test = first.Test,
        TeacherScoreColumnName = "TeacherScore",
        TeacherName = first.Teacher.Name,
        Student = first.Distilled.Model,
        Alone = first.Alone.Model,
        LabelColumnName = "Class",
        StudentCost = first.Distilled.Cost,
        AloneCost = first.Alone.Cost,
        Criteria = new AcceptanceCriteria
        {
            MinimumAccuracy = first.Alone.Finding.Accuracy,
            MaximumZipBytes = first.Teacher.ZipBytes,
            MaximumLatency = TimeSpan.FromMicroseconds(first.Teacher.Microseconds),
        },
    });
    report.Write("report");
    Console.WriteLine(report.Acceptance);
    Console.WriteLine($"Wrote student.zip and {Path.Combine("report", "report.html")}.");
    return report.Acceptance!.ExitCode;
}
