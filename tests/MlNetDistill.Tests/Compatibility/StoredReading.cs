using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Compatibility;

/// <summary>Reads the files, each as the library reads it, to numbers.</summary>
internal static class StoredReading
{
    public const string CacheName = "teacher-cache";
    public const string CheckpointName = "anchor-0001.weights";
    public const string StateName = "training-state.safetensors";
    public const string TrainingName = "checkpoints";

    public static string[] Students { get; } = ["student.zip", "student-float16.zip", "student-int8.zip", "embedding.zip"];

    /// <summary>The scores of the student in a checkpoint directory.</summary>
    public static double[][] Training(string folder, MLContext context) =>
        [.. MlNetDistill.Checkpoint.Open(folder).CreateStudent(context).Scores(StoredFiles.View(context)).Select(row => row.Select(score => (double)score).ToArray())];

    /// <summary>What the outputs in the cache depend on.</summary>
    public static CacheFileKey CacheKey { get; } = new()
    {
        Teacher = "a teacher",
        Data = "some rows",
        Rows = 6,
        Classes = "ash, birch, cedar",
        Shapes = new OutputShapes(3, 2, []),
        Kept = ModelOutputs.Logits | ModelOutputs.Embedding,
        Precision = CachePrecision.Half,
        TopK = 2,
    };

    public static RowIds CacheIds => RowIds.From(Enumerable.Range(0, 6).Select(i => new RowId((ulong)i + 100, 0)));

    public static NetworkSpec CheckpointSpec { get; } = NetworkSpec.Mlp(5);

    private static NetworkInput Input { get; } = new(InputShape.Vector(4));

    /// <summary>The scores, or embeddings, of a student in a zip.</summary>
    public static double[][] Scores(string path, MLContext context) => Scores(context.Model.LoadVerified(path, out _), context);

    public static double[][] Scores(ITransformer model, MLContext context)
    {
        var scored = model.Transform(StoredFiles.View(context));
        return [.. scored.GetColumn<float[]>(scored.Schema.GetColumnOrNull("Score") is null ? "Embedding" : "Score").Select(row => row.Select(value => (double)value).ToArray())];
    }

    /// <summary>Logits and embeddings in a cache of a folder.</summary>
    public static double[][] Cache(string folder)
    {
        using var scope = NewDisposeScope();
        var options = new TeacherCacheOptions { Folder = folder, Mode = CacheMode.UseOnly };
        var request = new CacheRequest(CacheKey, CacheIds, CPU, _ => throw new InvalidOperationException("The teacher must not be queried."));
        using var outputs = new FolderCache(options, folder, _ => { }, _ => { }, default).Open(request);
        var read = outputs.Read(arange(CacheKey.Rows, int64), CacheKey.Kept);
        return [.. read.All.SelectMany(Values)];
    }

    /// <summary>Logits of the network in a checkpoint.</summary>
    public static double[][] Checkpoint(string path)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = CheckpointSpec.Build(Input, 3, seed: 99);
        var file = CheckpointFile.Read(path);
        Assert.That(file.Description.FindDifference(CheckpointSpec, Input), Is.Null);
        file.Load(network);
        network.eval();
        return Values(network.forward(tensor(StoredFiles.Rows.SelectMany(row => row.Features).ToArray()).reshape(-1, 4)).Logits);
    }

    /// <summary>The counters of a state, and the sum of every tensor in the order of their names.</summary>
    public static double[][] State(string path)
    {
        using var file = File.OpenRead(path);
        using var state = TrainingState.Load(file);
        using var scope = NewDisposeScope();
        return
        [
            [state.Phases, state.Epochs, state.Steps, state.Elapsed.TotalSeconds, state.History.Count, state.Decisions.Count, state.Warnings.Count, state.Stage!.Epoch],
            [.. state.Tensors().OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => t.Value.to(float64).sum().item<double>())],
        ];
    }

    private static double[][] Values(Tensor rows) => [.. rows.reshape(rows.shape[0], -1).to(float64).data<double>().ToArray().Chunk((int)(rows.numel() / rows.shape[0]))];
}
