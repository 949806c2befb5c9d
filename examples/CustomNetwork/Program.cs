using CustomNetwork;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using static TorchSharp.torch;

// Two students learn from a ResNet. This program defines their networks: one composed of blocks, one made of TorchSharp modules.
// They are so small that several threads would only wait for each other.
set_num_threads(1);
var mlContext = new MLContext(seed: 1);
var train = mlContext.Data.LoadFromEnumerable(Drawing.Make(600, seed: 1));
var testRows = Drawing.Make(600, seed: 2);
var test = mlContext.Data.LoadFromEnumerable(testRows);

var teacher = Fit(NetworkSpec.ResNet(8, 8, 16, 32), DistillationMethod.LabelsOnly(), epochs: 6);
Console.WriteLine("                     parameters   accuracy   zip against network");
Report("teacher", teacher, "teacher.zip");
var exitCode = 0;
NetworkSpec[] networks = [new MyNetwork(Width: 12, Units: 2), new MyModuleNetwork(Hidden: 16)];
foreach (var network in networks)
{
    var student = Fit(network, DistillationMethod.Kd(temperature: 4, alpha: 0.9), epochs: 15, Teacher.FromTransformer(teacher));
    var file = network.Name.Split(' ')[0];
    Report(network.Name, student, $"{file}.zip");
    exitCode = Math.Max(exitCode, Judge(network.Name, student, file));
}

return exitCode;

ITransformer Fit(NetworkSpec network, DistillationMethod method, int epochs, Teacher? teacher = null) =>
    mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
        .Append(mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = teacher,
            Student = network,
            Method = method,
            LabelColumnName = "Class",
            FeatureColumnName = "Pixels",
            Epochs = epochs,
            BatchSize = 32,
            Optimizer = Optimizer.AdamW(0.01),
            Seed = 1,
            Progress = new SlowWork(network.Name),
            CancellationToken = Interruption.Token,
        }))
        .Fit(train);

// Measures the model that is loaded from its file: an ordinary ML.NET model without this library and without TorchSharp.
void Report(string name, ITransformer model, string path)
{
    mlContext.Model.SaveAtomically(model, train.Schema, path);
    var scored = mlContext.Model.LoadVerified(path, out _).Transform(test);
    var accuracy = mlContext.MulticlassClassification.Evaluate(scored, labelColumnName: "Class").MicroAccuracy;
    var network = model.FindStudent().Model;
    var difference = Difference(scored, network);
    Console.WriteLine($"{name,-20} {network.ParameterCount,10:N0} {accuracy,10:0.0 %} {difference,21:0.0e0}");
    if (!(difference <= 1e-4))
        throw new InvalidOperationException($"{path} does not compute what the network '{name}' computes.");
}

// Measures how well the student does its teacher's job, writes the report and returns the exit code: 0 if the student is accepted.
int Judge(string name, ITransformer student, string folder)
{
    var report = DistillationReport.Create(mlContext, new ReportInput
    {
        Title = $"Drawings, by the network {name}",
        Test = test,
        Training = train,
        Teacher = teacher,
        Student = student,
        LabelColumnName = "Class",
        TeacherCost = mlContext.Model.MeasureCost("teacher.zip", testRows),
        StudentCost = mlContext.Model.MeasureCost($"{folder}.zip", testRows),
        Criteria = new AcceptanceCriteria { MinimumAccuracyRetention = 0.8 },
    });
    report.Write(Path.Combine("report", folder));
    Console.WriteLine(report.Acceptance);
    return report.Acceptance!.ExitCode;
}

// The largest difference between a probability of the saved model and the TorchSharp network's.
static float Difference(IDataView scored, DistilledStudent student)
{
    using var scope = NewDisposeScope();
    using var noGrad = no_grad();
    using var network = student.ToNetwork();
    var pixels = scored.GetColumn<byte[]>("Pixels").ToArray();
    var images = tensor(pixels.SelectMany(p => p).ToArray()).reshape([pixels.Length, .. network.Input.Shape.Dimensions]);
    var expected = network.forward(images).Logits.softmax(1).data<float>().ToArray();
    return scored.GetColumn<float[]>("Score").SelectMany(s => s).Zip(expected).Max(p => Math.Abs(p.First - p.Second));
}
