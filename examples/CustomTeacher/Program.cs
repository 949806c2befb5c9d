using System.Text;
using CustomTeacher;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using Quickstart.Data;
using TorchSharp;

// Your own kind of teacher, in NearestNeighbours.cs: the nearest of 2,000 labelled digits vote, and the student learns from their votes for 6,000 other digits,
// without labels. The exit code tells whether the student is good enough, and report/report.html shows why.
Console.OutputEncoding = Encoding.UTF8;
torch.set_num_threads(1);
var mlContext = new MLContext(seed: 1);
int[] pixels = [DigitPainter.Side * DigitPainter.Side];
Row<byte>[] labelled = [.. new DigitPainter(seed: 2).Draw(2000)];
var train = View([.. new DigitPainter(seed: 4).Draw(6000)]);
Row<byte>[] testRows = [.. new DigitPainter(seed: 3).Draw(2000)];
var test = View(testRows);

var teacher = new NearestNeighbours(
    [.. labelled.Select(row => row.Features.Select(pixel => (float)pixel).ToArray())], [.. labelled.Select(row => $"{row.Label}")], neighbours: 5);
var trainer = mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
{
    Teacher = teacher,
    Student = NetworkSpec.Mlp(48),
    // alpha: 1 gives the teacher the whole loss; the labels of the rows are not used.
    Method = DistillationMethod.Kd(temperature: 1, alpha: 1),
    LabelColumnName = "Class",
    Epochs = 20,
    BatchSize = 64,
    Optimizer = Optimizer.AdamW(0.005),
    Seed = 1,
    CancellationToken = Interruption.Token,
});
var student = trainer.Fit(train);

// The teacher is not an ML.NET model, so its answers become a column of the test rows, with which the student is compared.
var report = DistillationReport.Create(mlContext, new ReportInput
{
    Title = "Digits, taught by nearest neighbours",
    Test = trainer.ScoreTeacher(test),
    TeacherScoreColumnName = "TeacherScore",
    TeacherName = "5 nearest neighbours",
    Student = student,
    LabelColumnName = "Class",
    Criteria = new AcceptanceCriteria { MinimumAccuracyRetention = 0.9 },
});
report.Write("report");
Console.WriteLine(report.Acceptance);
Console.WriteLine($"Wrote {Path.Combine("report", "report.html")}.");
return report.Acceptance!.ExitCode;

IDataView View(Row<byte>[] rows)
{
    var view = Row<byte>.View(mlContext, rows, pixels);
    return mlContext.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(view).Transform(view);
}
