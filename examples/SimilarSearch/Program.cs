using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using SimilarSearch;

// Finds pictures of the same sign. A large network learns to tell signs apart, and is exported as an ONNX model of its embeddings; a small student learns these, without a
// label. Both then search among signs that neither has seen. With --quick everything is smaller; with --checkpoints DIR, a program that was stopped goes on there.
var quick = args.Contains("--quick");
var checkpoints = CheckpointFolder.Open(args.SkipWhile(arg => arg != "--checkpoints").ElementAtOrDefault(1));
var mlContext = new MLContext(seed: 1);
var (signs, pictures) = quick ? (60, 20) : (150, 30);
var train = mlContext.Data.LoadFromEnumerable(SignWriter.Write(signs, pictures, first: 0, seed: 1));
var unseen = SignWriter.Write(signs: 40, pictures: 10, first: 1000, seed: 2);
var test = mlContext.Data.LoadFromEnumerable(unseen);

// The teacher: a classifier of the known signs, whose last layer but one is its embedding.
Console.WriteLine("Training the teacher.");
var classifier = mlContext.Transforms.Conversion.MapValueToKey("Class", "Id")
    .Append(mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
    {
        Student = NetworkSpec.ResNet(8, 16, 32, 64),
        Method = DistillationMethod.LabelsOnly(),
        LabelColumnName = "Class",
        FeatureColumnName = "Pixels",
        Epochs = quick ? 15 : 25,
        BatchSize = 32,
        CheckpointDirectory = checkpoints.Of("teacher"),
        CancellationToken = Interruption.Token,
    }))
    .Fit(train);
using (var file = File.Create("teacher.onnx"))
    classifier.FindStudent().SaveEmbeddingOnnx(file);

// As an application without the student runs it: ML.NET's ONNX transformer.
var teacher = mlContext.Transforms.ApplyOnnxModel(["Embedding"], ["Pixels"], "teacher.onnx")
    .Append(mlContext.Transforms.CopyColumns("TeacherEmbedding", "Embedding"))
    .Append(mlContext.Transforms.DropColumns("Embedding"))
    .Fit(train);
mlContext.Model.Save(teacher, train.Schema, "teacher.zip");

// The student. It is trained on the pictures alone.
var student = mlContext.Transforms.DistillEmbedding(new EmbeddingOptions
{
    Teacher = EmbeddingTeacher.FromOnnx("teacher.onnx"),
    Student = NetworkSpec.ResNet(8, 6, 12, 24),
    EmbeddingLength = 32,
    FeatureColumnName = "Pixels",
    Epochs = quick ? 15 : 25,
    BatchSize = 32,
    ValidationFraction = 0.1,
    Seed = 1,
    Progress = new SlowWork("student"),
    CheckpointDirectory = checkpoints.Of("student"),
    CancellationToken = Interruption.Token,
}).Fit(train);
student.SaveAtomically("student.zip");
Console.WriteLine(student.Model);

var report = EmbeddingReport.Create(mlContext, new EmbeddingReportInput
{
    Title = "Search for similar signs",
    Description = "40 signs that neither model has seen, 10 pictures of each.",
    Test = test,
    Student = student,
    Teacher = teacher,
    IdColumnName = "Id",
    TeacherCost = mlContext.Model.MeasureCost("teacher.zip", unseen, "TeacherEmbedding"),
    StudentCost = mlContext.Model.MeasureCost("student.zip", unseen, "Embedding"),
});
report.Write("report");
Console.WriteLine();
Console.WriteLine(report);
Console.WriteLine(report.Retrieval);
var pixels = mlContext.Ranking.EvaluateRetrieval(
    mlContext.Transforms.Conversion.ConvertType("Raw", "Pixels", DataKind.Single).Fit(test).Transform(test), "Raw", "Id");
Console.WriteLine($"the pixels alone: {pixels.Student}");
// A student that finds less than seven tenths of what its teacher finds, or no more than the pixels do, is of no use.
return report.Retrieval.Student.RankOne >= Math.Max(0.7 * report.Retrieval.Teacher!.RankOne, pixels.Student.RankOne) ? 0 : 3;
