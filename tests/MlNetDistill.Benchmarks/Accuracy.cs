using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using TorchSharp;

namespace MlNetDistill.Benchmarks;

/// <summary>Test accuracy and fidelity of a student alone and distilled, over seeds, through the public surface.</summary>
internal static class Accuracy
{
    public static void Run(Arguments arguments)
    {
        torch.set_num_threads(arguments.Threads);
        var context = new MLContext(seed: 1);
        var data = DataSet.Load(context, arguments.DataSet, arguments.Data, arguments.Hidden);
        if (arguments.Epochs > 0)
            data = data with { TeacherEpochs = arguments.Epochs, StudentEpochs = arguments.Epochs };
        var labelled = context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(data.Train);
        var (train, test) = (labelled.Transform(context.Data.TakeRows(data.Train, arguments.Rows)), labelled.Transform(data.Test));
        if (arguments.HeldOut)
        {
            var parts = context.Data.TrainTestSplit(train, testFraction: 0.2, seed: 1);
            (train, test) = (parts.TrainSet, parts.TestSet);
        }

        var teacher = arguments.Teacher == "fasttree"
            ? context.MulticlassClassification.Trainers.OneVersusAll(
                context.BinaryClassification.Trainers.FastTree("Class", numberOfLeaves: 40, numberOfTrees: 100), "Class").Fit(train)
            : Fit(context, data, train, data.Teacher, null, DistillationMethod.LabelsOnly(), data.TeacherEpochs, seed: 1);
        var teacherScores = Scores(teacher, test);
        var labels = test.GetColumn<uint>("Class").ToArray();
        Console.WriteLine($"teacher {(arguments.Teacher == "fasttree" ? "FastTree one-versus-all" : data.Teacher.Name)}: accuracy {100 * Share(teacherScores, labels):0.00}");

        foreach (var method in new[] { DistillationMethod.LabelsOnly(), DistillationMethod.Kd(arguments.Temperature, arguments.Alpha) })
        {
            var runs = Enumerable.Range(0, arguments.Seeds).Select(seed =>
            {
                var student = Fit(context, data, train, data.Student, Teacher.FromTransformer(teacher), method, data.StudentEpochs, 1000 + seed, precision: arguments.Precision);
                var scores = Scores(student, test);
                return (Accuracy: 100 * Share(scores, labels), Agreement: 100 * Share(scores, Argmax(teacherScores)), Divergence: Divergence(teacherScores, scores));
            }).ToArray();
            Console.WriteLine(
                $"{data.Student.Name} {method.Name}: accuracy {Summary(runs.Select(r => r.Accuracy))}, agreement {Summary(runs.Select(r => r.Agreement))}, " +
                $"KL(teacher‖student) {Summary(runs.Select(r => r.Divergence), "0.0000")} ({arguments.Seeds} seeds)");
        }
    }

    internal static ITransformer Fit(
        MLContext context, DataSet data, IDataView train, NetworkSpec network, Teacher? teacher, DistillationMethod method, int epochs, int seed,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default, TeacherCacheOptions? cache = null,
        TrainingPrecision precision = TrainingPrecision.Float32, int batchSize = 128)
    {
        var options = new DistillationOptions
        {
            Student = network,
            Teacher = teacher,
            Method = method,
            LabelColumnName = "Class",
            FeatureColumnName = data.Normalize ? "Scaled" : "Features",
            Epochs = epochs,
            Optimizer = Optimizer.Sgd(0.1, 0.9, nesterov: true, data.WeightDecay),
            Schedule = LearningRateSchedule.OneCycle(0.2),
            Seed = seed,
            Precision = precision,
            BatchSize = batchSize,
            Progress = progress,
            TeacherCache = cache ?? new TeacherCacheOptions(),
            CancellationToken = cancellation,
            OnCancellation = CancellationBehavior.ReturnBest,
        };
        var trainer = context.MulticlassClassification.Trainers.Distill(options);
        return data.Normalize
            ? context.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false, maximumExampleCount: int.MaxValue).Append(trainer).Fit(train)
            : trainer.Fit(train);
    }

    private static float[][] Scores(ITransformer model, IDataView view) => [.. model.Transform(view).GetColumn<float[]>("Score")];

    private static double Share(float[][] scores, uint[] keys) => scores.Zip(keys).Count(p => Array.IndexOf(p.First, p.First.Max()) + 1 == p.Second) / (double)keys.Length;

    private static uint[] Argmax(float[][] scores) => [.. scores.Select(s => (uint)Array.IndexOf(s, s.Max()) + 1)];

    private static double Divergence(float[][] teacher, float[][] student) =>
        teacher.Zip(student).Average(p => p.First.Zip(p.Second).Sum(q => q.First <= 0 ? 0 : q.First * Math.Log(q.First / Math.Max(q.Second, 1e-30))));

    internal static string Summary(IEnumerable<double> values, string format = "0.00")
    {
        var all = values.ToArray();
        var mean = all.Average();
        var deviation = Math.Sqrt(all.Sum(v => (v - mean) * (v - mean)) / Math.Max(1, all.Length - 1));
        return $"{mean.ToString(format)} ± {deviation.ToString(format)}";
    }
}
