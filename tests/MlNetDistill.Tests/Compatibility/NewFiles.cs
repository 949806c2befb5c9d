using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Evaluation.Report;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Compatibility;

/// <summary>Writes the files of the present version into an empty folder, for a release. The tests read them from the folder of the version, and never write there.</summary>
internal static class NewFiles
{
    public static void Write(string folder)
    {
        var context = new MLContext(seed: 1);
        Directory.CreateDirectory(folder);
        WriteStudents(folder, context);
        WriteCache(folder);
        WriteCheckpoint(Path.Combine(folder, StoredReading.CheckpointName));
        WriteState(Path.Combine(folder, StoredReading.StateName));
        WriteTraining(Path.Combine(folder, StoredReading.TrainingName), context);
        File.WriteAllText(Path.Combine(folder, "report.json"), ReportSamples.Complete(Rows.Classes, 200, seed: 1).ToJson());
        var values = StoredReading.Students.ToDictionary(name => name, name => StoredReading.Scores(Path.Combine(folder, name), context));
        values[StoredReading.CacheName] = StoredReading.Cache(folder);
        values[StoredReading.CheckpointName] = StoredReading.Checkpoint(Path.Combine(folder, StoredReading.CheckpointName));
        values[StoredReading.StateName] = StoredReading.State(Path.Combine(folder, StoredReading.StateName));
        values[StoredReading.TrainingName] = StoredReading.Training(Path.Combine(folder, StoredReading.TrainingName), context);
        StoredFiles.WriteValues(folder, values);
    }

    private static void WriteStudents(string folder, MLContext context)
    {
        var (train, test) = (context.Keyed(Rows.Points()), context.Keyed(Rows.Points(seed: 6)));
        var model = context.Fit(Rows.Quick() with { Student = NetworkSpec.Mlp(8, 6) }, train);
        var options = new PrecisionOptions { Calibration = train, Test = test };
        Save("student.zip", model);
        Save("student-float16.zip", model.WithPrecision(StudentPrecision.Float16, options));
        Save("student-int8.zip", model.WithPrecision(StudentPrecision.Int8, options));
        var teacher = EmbeddingTeacher.FromColumn("Features");
        Save("embedding.zip", context.Transforms.DistillEmbedding(new EmbeddingOptions { Teacher = teacher, Student = NetworkSpec.Mlp(8), Epochs = 2, Seed = 1 }).Fit(train));

        void Save(string name, ITransformer saved) => context.Model.SaveAtomically(saved, train.Schema, Path.Combine(folder, name));
    }

    private static void WriteCache(string folder)
    {
        var options = new TeacherCacheOptions { Folder = folder };
        var key = StoredReading.CacheKey;
        using var scope = NewDisposeScope();
        OutputChunk[] outputs = [new([.. StoredReading.CacheIds], [(arange(18).reshape(6, 3).remainder(7) / 4).to(float32), (arange(12).reshape(6, 2) / 8).to(float32)])];
        new FolderCache(options, folder, _ => { }, _ => { }, default).Open(new CacheRequest(key, StoredReading.CacheIds, CPU, _ => outputs)).Dispose();
    }

    private static void WriteCheckpoint(string path)
    {
        using var network = StoredReading.CheckpointSpec.Build(new NetworkInput(InputShape.Vector(4)), 3, seed: 1);
        var features = new InputStatistics([0, 0, 0, 0], [1, 1, 1, 1]);
        CheckpointFile.Write(
            path, CheckpointDescription.Create("a run", 1, StoredReading.CheckpointSpec, network, new ClassLabels(3, Rows.Classes), features), DistilledStudent.WeightsOf(network));
    }

    /// <summary>The checkpoint directory of a training, the last checkpoint of which is in the middle of it.</summary>
    private static void WriteTraining(string folder, MLContext context)
    {
        using var source = new CancellationTokenSource();
        var options = Rows.Quick() with
        {
            CheckpointDirectory = folder,
            Checkpoints = new CheckpointOptions { Interval = null, EveryEpochs = 1, Keep = 1 },
            CancellationToken = source.Token,
            OnCancellation = CancellationBehavior.ReturnBest,
            Progress = new RowsProgress(_ => source.Cancel()),
        };
        context.Fit(options, context.Keyed(Rows.Points()));
        File.Delete(Path.Combine(folder, "training.lock"));
    }

    private static void WriteState(string path)
    {
        using var student = NetworkSpec.Mlp(3).Build(new NetworkInput(InputShape.Vector(4)), 3, seed: 1);
        using var state = TrainingState.Start(student, new Seeds(1), "student");
        var result = new ValidationResult("accuracy", 0.5, 1);
        (state.Phases, state.Epochs, state.Steps, state.Elapsed) = (1, 2, 20, TimeSpan.FromSeconds(3));
        state.History.Add(new TrainingProgress("KD", 1, 2, new Dictionary<string, double> { ["total"] = 1 }, 0.01, result, 10, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)));
        state.Decisions.Add(new MethodDecision("the anchor after epoch 1", 2));
        state.Warnings.Add("a warning");
        var stage = state.BeginStage("KD", startsTrained: false);
        stage.Epoch = 2;
        stage.FirstLosses = [1, 0.5];
        stage.Best.KeepIfBetter(result, student);
        using var file = File.Create(path);
        state.Save(file);
    }
}
