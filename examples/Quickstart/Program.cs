using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using Quickstart;
using Quickstart.Data;
using Quickstart.Report;

return CommandLine.Run(Settings.Command(settings => settings.Measure is { } zip ? Measure(settings, zip) : Run(settings, args)), args);

static int Measure(Settings settings, string zip)
{
    OwnProcess.Answer(Workloads.From(settings, new MLContext(settings.Seed)).CostOf(zip));
    return 0;
}

static int Run(Settings settings, string[] args)
{
    var mlContext = new MLContext(settings.Seed);
    var work = Workloads.From(settings, mlContext);
    Console.WriteLine($"{work.Title}: {work.Train.GetRowCount():N0} rows to train, {work.Test.GetRowCount():N0} to test.");
    Console.WriteLine($"Teacher {work.Teacher.Name}, student {work.Student.Name}, {work.Epochs} epochs each.");
    var checkpoints = CheckpointFolder.Open(settings.Checkpoints);

    // A trainer like ML.NET's own: labels become keys, a network learns to predict them, keys become labels again.
    ITransformer Train(string name, NetworkSpec network, DistillationMethod method, TrainingDisplay display, Teacher? teacher = null) =>
        work.Preparation
            .Append(mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
            {
                Teacher = teacher,
                Student = network,
                Method = method,
                LabelColumnName = "Class",
                FeatureColumnName = work.FeatureColumnName,
                Epochs = work.Epochs,
                BatchSize = work.BatchSize,
                Optimizer = work.Optimizer,
                ValidationFraction = 0.1,
                Seed = settings.Seed,
                Progress = display.Network(name),
                CheckpointDirectory = checkpoints.Of(name),
                CancellationToken = Interruption.Token,
            }))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(work.Train);

    // Both students start from the same weights and get the same batches; they differ only in what they learn from.
    var (teacher, alone, distilled) = TrainingDisplay.Show(display =>
    {
        var teacher = Train("Teacher", work.Teacher, DistillationMethod.LabelsOnly(), display);
        var alone = Train("Student alone", work.Student, DistillationMethod.LabelsOnly(), display);
        var distilled = Train("Student distilled", work.Student, DistillationMethod.Kd(temperature: 4, alpha: 0.9), display, Teacher.FromTransformer(teacher));
        return (teacher, alone, distilled);
    });

    // The zip is an ordinary ML.NET model: an application that loads it needs neither this library nor TorchSharp.
    mlContext.Model.SaveAtomically(distilled, work.Train.Schema, "student.zip");
    var reloaded = mlContext.Model.LoadVerified("student.zip", out _);
    if (!new Answers(reloaded, work.Test).Equal(new Answers(distilled, work.Test)))
        throw new InvalidOperationException("The student loaded from student.zip gives other scores than before it was saved.");
    Console.WriteLine("Wrote student.zip; loaded again, it gives the same probabilities for every test row.");

    ModelCost Cost(ITransformer model)
    {
        var zip = Path.GetTempFileName();
        try
        {
            mlContext.Model.Save(model, work.Train.Schema, zip);
            return OwnProcess.Measure(args, zip);
        }
        finally
        {
            File.Delete(zip);
        }
    }

    // Measures how well the student does its teacher's job, and compares that with the criteria.
    var report = DistillationReport.Create(mlContext, new ReportInput
    {
        Title = work.Title,
        Test = work.Test,
        Training = work.Train,
        Teacher = teacher,
        Student = distilled,
        Alone = alone,
        LabelColumnName = "Class",
        TeacherCost = Cost(teacher),
        StudentCost = Cost(distilled),
        AloneCost = Cost(alone),
        Criteria = new AcceptanceCriteria { MinimumAccuracyRetention = settings.MinimumKept / 100.0, MinimumAgreement = settings.MinimumAgreement / 100.0 },
    });
    Comparison.Print(report);
    report.Write("report");
    Console.WriteLine($"Wrote {Path.Combine("report", "report.html")}.");
    Console.WriteLine(report.Acceptance);
    return report.Acceptance!.ExitCode;
}
