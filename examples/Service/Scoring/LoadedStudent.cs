using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MlNetDistill;

namespace Service.Scoring;

/// <summary>A saved student, loaded once and shared by all requests, with its feature column and classes.</summary>
internal sealed class LoadedStudent : IDisposable
{
    // ONNX Runtime's binding does not keep the options alive that ML.NET gives it, and a garbage collection while a model is loaded would end the process;
    // so they are static. One thread for each session: there are many requests, and several threads for one row would only wait for each other.
    private static readonly Microsoft.ML.OnnxRuntime.SessionOptions OnnxOptions = new() { IntraOpNumThreads = 1 };

    private LoadedStudent(MLContext mlContext, ITransformer model, FeatureColumn features, int batchSize)
    {
        MLContext = mlContext;
        Model = model;
        Features = features;
        Scorer = mlContext.Model.CreateBatchScorer(model, features.RowSchema, new BatchScoringOptions { BatchSize = batchSize, Threads = 1 });
        Classes = ClassesOf(model.GetOutputSchema(features.RowSchema));
    }

    public MLContext MLContext { get; }

    public ITransformer Model { get; }

    /// <summary>The same model, which scores several rows at once.</summary>
    public BatchScorer Scorer { get; }

    /// <summary>The column that it reads.</summary>
    public FeatureColumn Features { get; }

    /// <summary>Names of the classes, in the order of its scores.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <param name="path">A zip that ML.NET saved.</param>
    /// <param name="featureColumn">Name of the feature column, or null: the only vector among the model's inputs.</param>
    /// <param name="batchSize">Most rows that are scored at once.</param>
    /// <exception cref="UsageException">There is no such file, or it is not such a model.</exception>
    public static LoadedStudent Load(string path, string? featureColumn, int batchSize)
    {
        if (!File.Exists(path))
            throw new UsageException($"There is no file {Path.GetFullPath(path)}. Name a saved student: --model student.zip (examples/Quickstart writes one).");
        var mlContext = new MLContext();
        mlContext.SetOnnxSessionOption(new OnnxSessionOptions { CreateSessionOptions = () => OnnxOptions });
        try
        {
            if (!ZipHashes.Check(path))
                Console.Error.WriteLine($"{path} has no hashes, so it cannot be checked for damage. Save it with mlContext.Model.SaveAtomically.");
            var model = LoadModel(mlContext, path, out var inputSchema);
            return new LoadedStudent(mlContext, model, FeatureColumn.Find(inputSchema, featureColumn), batchSize);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidDataException or ArgumentOutOfRangeException
            or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} is not a student that this service can load: {e.Message}");
        }
    }

    public void Dispose()
    {
        Scorer.Dispose();
        (Model as IDisposable)?.Dispose();
    }

    private static ITransformer LoadModel(MLContext mlContext, string path, out DataViewSchema inputSchema)
    {
        // ML.NET writes the network to a file with a random name. One name of 32,768 ends in '.ort', which ONNX Runtime takes for another format; the next name does not.
        try
        {
            return mlContext.Model.Load(path, out inputSchema);
        }
        catch (Exception e) when (e.ToString().Contains("ORT model verification failed", StringComparison.Ordinal))
        {
            return mlContext.Model.Load(path, out inputSchema);
        }
    }

    private static string[] ClassesOf(DataViewSchema outputs)
    {
        if (outputs.GetColumnOrNull("Score") is not { Type: VectorDataViewType { IsKnownSize: true } type } score)
            throw new InvalidOperationException("it has no vector of known size in a column 'Score'.");
        if (!score.HasSlotNames())
            return [.. Enumerable.Range(0, type.Size).Select(i => $"{i}")];
        VBuffer<ReadOnlyMemory<char>> names = default;
        score.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }
}
