using CompareMethods;
using CompareMethods.Data;
using CompareMethods.Report;
using CompareMethods.Training;
using Microsoft.ML;
using TorchSharp;

return CommandLine.Run(Settings.Command(Run), args);

static void Run(Settings settings)
{
    var mlContext = new MLContext(seed: 1);
    var work = Workloads.From(settings, mlContext);
    if ((settings.Threads ?? work.Threads) is { } threads)
        torch.set_num_threads(threads);
    // If the folder cannot be written, fail now and not after the last student.
    var folder = Directory.CreateDirectory(settings.Out);
    var checkpoints = CheckpointFolder.Open(settings.Checkpoints);
    Console.WriteLine($"{work.Title}: {work.TrainRows:N0} rows to train, {work.TestRows:N0} to test.");
    Console.WriteLine($"Teacher {work.Teacher.Name}, {work.TeacherEpochs} epochs; student {work.Student.Name}, {work.Epochs} epochs; seeds: {settings.Seeds}.");

    string[] names = [.. Candidates.For(work).Select(method => method.Method)];
    if (names.Contains(Candidates.Rco))
        names = [.. names, Comparison.LongerKd, Comparison.LongerRco];
    var findings = LiveTable.Show(names, table =>
    {
        using var trainer = new ModelTrainer(mlContext, work, checkpoints, table.Follow("The teacher"));
        return new Comparison(work, settings.Seeds, trainer, table).Run();
    });

    Summary.Print(work, findings);
    var (results, chart) = (Path.Combine(folder.FullName, "results.json"), Path.Combine(folder.FullName, "chart.svg"));
    ResultsFile.Write(results, work, settings, torch.get_num_threads(), findings);
    File.WriteAllText(chart, new Chart(work, findings).ToSvg());
    var reports = Path.Combine(folder.FullName, "reports");
    var count = Reports.Write(reports, mlContext, work, findings);
    Console.WriteLine($"Wrote {results}, {chart} and {count} reports in {reports}.");
}
