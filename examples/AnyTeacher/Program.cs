using System.Diagnostics;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Cache;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using Quickstart.Data;
using TorchSharp;
using static System.FormattableString;

// One student learns from a forest of trees, from an ONNX file and from both together. Each teacher is queried once: a second fit uses its cached answers.
// The exit code tells whether the last student is good enough, and report/report.html shows why.
Console.OutputEncoding = Encoding.UTF8;
torch.set_num_threads(1);
var mlContext = new MLContext(seed: 1);
int[] pixels = [1, DigitPainter.Side, DigitPainter.Side];
var train = Row<byte>.View(mlContext, [.. new DigitPainter(seed: 2).Draw(3000)], pixels);
Row<byte>[] testRows = [.. new DigitPainter(seed: 3).Draw(2000)];
var test = Row<byte>.View(mlContext, testRows, pixels);
string[] digits = [.. Enumerable.Range(0, 10).Select(digit => $"{digit}")];

Console.WriteLine("Fitting a forest, and a network that is written as teacher.onnx.");
var forest = mlContext.Transforms.Conversion.MapValueToKey("Digit", "Label")
    .Append(mlContext.Transforms.Conversion.ConvertType("Pixels", "Features"))
    .Append(mlContext.MulticlassClassification.Trainers.LightGbm("Digit", "Pixels", numberOfIterations: 50))
    .Fit(train);
var network = Pipeline(NetworkSpec.ResNet(8, 8, 16, 32), 6).Fit(train);
using (var file = File.Create("teacher.onnx"))
    network.FindStudent().SaveOnnx(file);

// An ONNX file does not contain class names, so they are given here, in the order of the file's scores. That is the order in which MapValueToKey saw the labels,
// 0 to 9.
var onnx = Teacher.FromOnnx("teacher.onnx", new OnnxOutputs("Score"), classNames: digits);
var (trees, both) = (Teacher.FromTransformer(forest), Teacher.Ensemble(onnx, Teacher.FromTransformer(forest)));

Console.WriteLine();
Console.WriteLine(Trainer(NetworkSpec.Mlp(48), 20, both).Preflight(Keyed(train, train)));
Console.WriteLine();
Console.WriteLine("taught by          accuracy   first fit   again");
Directory.CreateDirectory("answers");
foreach (var old in Directory.GetFiles("answers", "*.teacher"))
    File.Delete(old);
var alone = Compare("labels alone");
Compare("forest", trees);
Compare("ONNX file", onnx);
var student = Compare("both together", both);

// An ensemble is not an ML.NET model, so its answers become a column of the test rows, with which the student is compared.
var keyedTest = Keyed(train, test);
var report = DistillationReport.Create(mlContext, new ReportInput
{
    Title = "Digits, taught by a forest and an ONNX file together",
    Test = Trainer(NetworkSpec.Mlp(48), 20, both).ScoreTeacher(keyedTest),
    TeacherScoreColumnName = "TeacherScore",
    TeacherName = "Forest and ONNX file",
    Student = student,
    Alone = alone,
    LabelColumnName = "Class",
    StudentCost = mlContext.Model.MeasureCost(student, testRows, inputSchemaDefinition: Row<byte>.Schema(pixels)),
    AloneCost = mlContext.Model.MeasureCost(alone, testRows, inputSchemaDefinition: Row<byte>.Schema(pixels)),
    // The student is a small perceptron on single pixels, and the teacher a convolutional network: a higher share is too much for it.
    Criteria = new AcceptanceCriteria { MinimumAccuracyRetention = 0.7 },
});
report.Write("report");
Console.WriteLine();
Console.WriteLine(report.Acceptance);
Console.WriteLine($"Wrote {Path.Combine("report", "report.html")}.");
return report.Acceptance!.ExitCode;

ITransformer Compare(string name, Teacher? teacher = null)
{
    var (first, model) = Timed(() => Pipeline(NetworkSpec.Mlp(48), 20, teacher).Fit(train));
    var (again, same) = Timed(() => Pipeline(NetworkSpec.Mlp(48), 20, teacher).Fit(train));
    var accuracy = mlContext.MulticlassClassification.Evaluate(model.Transform(test), labelColumnName: "Class").MicroAccuracy;
    Console.WriteLine(Invariant($"{name,-18} {100 * accuracy,7:0.0} % {first.TotalSeconds,9:0.0} s {again.TotalSeconds,5:0.0} s"));
    if (!Scores(model).SequenceEqual(Scores(same)))
        throw new InvalidOperationException($"The second fit with '{name}' gave another student than the first.");
    return model;
}

IEnumerable<float> Scores(ITransformer model) => model.Transform(test).GetColumn<float[]>("Score").SelectMany(scores => scores);

IDataView Keyed(IDataView fitted, IDataView view) => mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(fitted).Transform(view);

EstimatorChain<DistillationTransformer> Pipeline(NetworkSpec student, int epochs, Teacher? teacher = null) =>
    mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Append(Trainer(student, epochs, teacher));

DistillationTrainer Trainer(NetworkSpec student, int epochs, Teacher? teacher) => mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
{
    Teacher = teacher,
    Student = student,
    Method = teacher is null ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(temperature: 2, alpha: 0.7),
    LabelColumnName = "Class",
    Epochs = epochs,
    BatchSize = 64,
    Optimizer = Optimizer.AdamW(0.005),
    Seed = 1,
    TeacherCache = new TeacherCacheOptions { Folder = "answers" },
    Progress = new SlowWork(student.Name),
    CancellationToken = Interruption.Token,
});

static (TimeSpan Time, T Result) Timed<T>(Func<T> work)
{
    var clock = Stopwatch.StartNew();
    var result = work();
    return (clock.Elapsed, result);
}
