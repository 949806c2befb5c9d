using System.Text;
using CustomLoss;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Training;
using Quickstart.Data;
using TorchSharp;
using static System.FormattableString;

// Compares your own loss, in JensenShannonLoss.cs, with KD: the same teacher, student, epochs and seed. The exit code tells whether its student is good enough.
Console.OutputEncoding = Encoding.UTF8;
// A perceptron's steps are so small that several threads would wait for each other longer than they compute.
torch.set_num_threads(1);
var mlContext = new MLContext(seed: 1);
int[] pixels = [DigitPainter.Side * DigitPainter.Side];
var train = Row<byte>.View(mlContext, [.. new DigitPainter(seed: 2).Draw(3000)], pixels);
Row<byte>[] testRows = [.. new DigitPainter(seed: 3).Draw(2000)];
var test = Row<byte>.View(mlContext, testRows, pixels);

var teacher = Train(NetworkSpec.Mlp(256, 128), DistillationMethod.LabelsOnly());
var kd = Train(NetworkSpec.Mlp(24, 16), DistillationMethod.Kd(temperature: 4, alpha: 0.9), teacher);
// Any weighted sum of the library's losses and your own is a method.
var ours = Train(NetworkSpec.Mlp(24, 16), DistillationMethod.FromLoss("JS", (0.1 * new CrossEntropyLoss()) + (0.9 * new JensenShannonLoss(temperature: 4))), teacher);

Console.WriteLine();
Measure("Teacher", teacher);
Measure("Student, KD", kd);
Measure("Student, JS", ours);

var report = DistillationReport.Create(mlContext, new ReportInput
{
    Title = "Digits, by a Jensen-Shannon loss",
    Test = test,
    Training = train,
    Teacher = teacher,
    Student = ours,
    LabelColumnName = "Class",
    TeacherCost = Cost(teacher),
    StudentCost = Cost(ours),
    Criteria = new AcceptanceCriteria { MinimumAccuracyRetention = 0.7 },
});
report.Write("report");
Console.WriteLine();
Console.WriteLine(report.Acceptance);
return report.Acceptance!.ExitCode;

ITransformer Train(NetworkSpec network, DistillationMethod method, ITransformer? teacher = null)
{
    Console.WriteLine($"{Environment.NewLine}{network.Name} by {method.Name}");
    return mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
        .Append(mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = teacher is null ? null : Teacher.FromTransformer(teacher),
            Student = network,
            Method = method,
            LabelColumnName = "Class",
            Epochs = 15,
            Optimizer = Optimizer.AdamW(0.005),
            Seed = 1,
            Progress = new Lines(),
            CancellationToken = Interruption.Token,
        }))
        .Fit(train);
}

ModelCost Cost(ITransformer model) => mlContext.Model.MeasureCost(model, testRows, inputSchemaDefinition: Row<byte>.Schema(pixels));

void Measure(string name, ITransformer model)
{
    var metrics = mlContext.MulticlassClassification.EvaluateDistillation(test, teacher, model, "Class");
    Console.WriteLine(Invariant($"{name,-12} accuracy {100 * metrics.Student!.Accuracy:0.0} %, agreement with the teacher {100 * metrics.Agreement:0.0} %"));
}

/// <summary>Prints a line for each epoch, with the value of every term of the loss, not multiplied by its weight.</summary>
internal sealed class Lines : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) =>
        Console.WriteLine(
            $"{value.Epoch,2}/{value.Epochs}  {string.Join("  ", value.Losses.Select(loss => Invariant($"{loss.Key} {loss.Value:0.000}")))}  {value.TimeLeft:mm\\:ss} left");
}
