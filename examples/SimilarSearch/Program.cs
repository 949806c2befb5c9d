using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using SimilarSearch;
using static TorchSharp.torch;

// Finds pictures of the same sign. A large network learns to tell signs apart; a small one learns its embeddings, without a label. Both then search among signs that
// neither has seen. With --quick everything is smaller.
var quick = args.Contains("--quick");
var mlContext = new MLContext(seed: 1);
var (signs, pictures) = quick ? (30, 16) : (150, 30);
var known = SignWriter.Write(signs, pictures, first: 0, seed: 1);
var unseen = SignWriter.Write(signs: 40, pictures: 10, first: 1000, seed: 2);

// The teacher: a classifier of the known signs, whose last layer but one is its embedding.
var classifier = mlContext.Transforms.Conversion.MapValueToKey("Class", "Id")
    .Append(mlContext.MulticlassClassification.Trainers.Distill(
        NetworkSpec.ResNet(8, 16, 32, Sign.TeacherLength), DistillationMethod.LabelsOnly(), labelColumnName: "Class", featureColumnName: "Pixels", epochs: quick ? 10 : 20, batchSize: 32))
    .Fit(mlContext.Data.LoadFromEnumerable(known));
mlContext.Model.Save(classifier, null, "teacher.zip");
using var teacher = classifier.FindStudent().Model.ToNetwork();
Embed(known);
Embed(unseen);
var (train, test) = (mlContext.Data.LoadFromEnumerable(known), mlContext.Data.LoadFromEnumerable(unseen));

// The student. It is trained on the pictures alone.
var student = mlContext.Transforms.DistillEmbedding(new EmbeddingOptions
{
    Teacher = EmbeddingTeacher.FromNetwork(teacher),
    Student = NetworkSpec.ResNet(8, 6, 12, 24),
    EmbeddingLength = 32,
    FeatureColumnName = "Pixels",
    Epochs = quick ? 15 : 20,
    BatchSize = 32,
    ValidationFraction = 0.1,
    Seed = 1,
    Progress = new SlowWork("student"),
}).Fit(train);
student.SaveAtomically("student.zip");
Console.WriteLine(student.Model);

// The saved student is an ordinary ML.NET model, without this library and without TorchSharp.
var loaded = mlContext.Model.LoadVerified("student.zip", out _);
var metrics = mlContext.Ranking.EvaluateRetrieval(loaded.Transform(test), idColumnName: "Id", options: new RetrievalOptions { TeacherColumnName = "TeacherEmbedding" });
var verification = mlContext.BinaryClassification.EvaluateVerification(loaded.Transform(test), idColumnName: "Id");
var pixels = mlContext.Ranking.EvaluateRetrieval(
    mlContext.Transforms.Conversion.ConvertType("Raw", "Pixels", DataKind.Single).Fit(test).Transform(test), "Raw", "Id");
Console.WriteLine();
Console.WriteLine($"40 signs that neither has seen: {metrics}");
Console.WriteLine($"the pixels alone: {pixels.Student}");
Console.WriteLine(verification);
var (before, after) = (mlContext.Model.MeasureCost("teacher.zip", unseen), mlContext.Model.MeasureCost("student.zip", unseen, "Embedding"));
Console.WriteLine($"teacher {before.ZipBytes / 1024.0:0} KiB, {before.SingleRow.Median:0} µs a picture; student {after.ZipBytes / 1024.0:0} KiB, {after.SingleRow.Median:0} µs");
// A student that finds less than seven tenths of what its teacher finds is of no use.
return metrics.Student.RankOne >= 0.7 * metrics.Teacher!.RankOne ? 0 : 3;

// Adds the teacher's embeddings, to compare with; the student's training computes its own.
void Embed(Sign[] rows)
{
    using var scope = NewDisposeScope();
    using var noGrad = no_grad();
    foreach (var part in rows.Chunk(256))
    {
        var input = tensor(part.SelectMany(row => row.Pixels).ToArray()).reshape(part.Length, 1, Sign.Size, Sign.Size);
        var values = teacher.Forward(input, ModelOutputs.Embedding).Embedding.contiguous().data<float>().ToArray();
        foreach (var (row, embedding) in part.Zip(values.Chunk(Sign.TeacherLength)))
            row.TeacherEmbedding = embedding;
    }
}
