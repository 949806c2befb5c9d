using System.Diagnostics;
using FidelityStudy;
using FidelityStudy.Data;
using FidelityStudy.Report;
using FidelityStudy.Training;
using Microsoft.ML;
using TorchSharp;

return CommandLine.Run(Settings.Command(Run), args);

static void Run(Settings settings)
{
    // A perceptron's steps are so small that several threads would wait for each other longer than they compute.
    torch.set_num_threads(1);
    var mlContext = new MLContext(seed: 1);
    var rows = StudyRows.From(settings, mlContext);
    var plan = Plan.For(settings, rows);
    // If the folder cannot be written, fail now and not after the last student.
    var folder = Directory.CreateDirectory(settings.Out).FullName;
    var checkpoints = CheckpointFolder.Open(settings.Checkpoints);
    Console.WriteLine($"{rows.Title}: {rows.Train.Length:N0} rows to train, {rows.Test.Length:N0} to test, {rows.Classes.Count} classes.");
    Console.WriteLine($"Teacher {plan.Teacher.Name}, {plan.TeacherEpochs} epochs; student {plan.Student.Name}, {plan.Epochs} epochs; seeds: {settings.Seeds}.");

    var trials = settings.Levels ? Levels.All : Questions.All;
    var findings = trials.Select(_ => new List<Finding>()).ToArray();
    var trainer = new StudentTrainer(mlContext, checkpoints);
    var clock = Stopwatch.StartNew();
    for (var seed = 1; seed <= settings.Seeds; seed++)
    {
        using var repetition = new Repetition(mlContext, rows, plan, seed, checkpoints);
        foreach (var (trial, mine) in trials.Zip(findings))
        {
            mine.Add(trainer.TrainAndCompare(trial, repetition));
            var (done, all) = (findings.Sum(f => f.Count), trials.Count * settings.Seeds);
            var left = clock.Elapsed / done * (all - done);
            Console.WriteLine(
                $"{done,3}/{all}  seed {seed}  {trial.Name}: agrees on {mine[^1].Train.Agreement.Value:0.00 %} of the rows it learnt from " +
                $"and {mine[^1].Test.Agreement.Value:0.00 %} of the test rows; about {(long)left.TotalHours:00}:{left:mm\\:ss} left");
        }
    }

    TrialResult[] results = [.. trials.Zip(findings, (trial, mine) => new TrialResult(trial, mine))];
    Console.WriteLine(settings.Levels ? LevelsTable.Format(results) : StudyTable.Format(results));
    StudyFile.Write(Path.Combine(folder, "study.json"), rows.Title, plan, results);
    if (settings.Levels)
    {
        Console.WriteLine($"Wrote study.json in {folder}.");
        return;
    }

    new Reports(mlContext, rows, plan, trainer, checkpoints).Write(folder);
    Console.WriteLine($"Wrote study.json and reports on two students of seed 1 in {folder}.");
}
