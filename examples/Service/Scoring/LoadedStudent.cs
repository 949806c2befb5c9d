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

    private LoadedStudent(ModelFile file, MLContext mlContext, ITransformer model, FeatureColumn features, int batchSize)
    {
        File = file;
        MLContext = mlContext;
        Model = model;
        Features = features;
        var rows = features.CreateRowSchema(mlContext);
        Classes = ClassesOf(OutputsFor(model, rows));
        Scorer = mlContext.Model.CreateBatchScorer(model, rows, new BatchScoringOptions { BatchSize = batchSize, Threads = 1 });
    }

    /// <summary>The file that it was loaded from.</summary>
    public ModelFile File { get; }

    /// <summary>When it was loaded.</summary>
    public DateTimeOffset Loaded { get; } = DateTimeOffset.UtcNow;

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
        if (!System.IO.File.Exists(path))
            throw new UsageException($"There is no file {Path.GetFullPath(path)}. Name a saved student: --model student.zip (examples/Quickstart writes one).");
        var mlContext = new MLContext();
        mlContext.SetOnnxSessionOption(new OnnxSessionOptions { CreateSessionOptions = () => OnnxOptions });
        ITransformer? model = null;
        try
        {
            var (file, content) = ModelFile.Read(path);
            if (!ZipHashes.Check(content))
                Console.Error.WriteLine($"{path} has no hashes, so it cannot be checked for damage. Save it with mlContext.Model.SaveAtomically.");
            model = LoadModel(mlContext, content, out var inputSchema);
            return new LoadedStudent(file, mlContext, model, FeatureColumn.Find(inputSchema, featureColumn), batchSize);
        }
        catch (Exception e)
        {
            // ML.NET ends in exceptions of many types where a file is not what it expects.
            (model as IDisposable)?.Dispose();
            throw new UsageException($"{path} is not a student that this service can load: {e.Message}");
        }
    }

    /// <summary>What of a replacement would break clients: the features that they send, or the classes that they get.</summary>
    /// <returns>The difference, or null.</returns>
    public string? DifferenceFor(LoadedStudent replacement)
    {
        if (Features.Length != replacement.Features.Length || Features.IsByte != replacement.Features.IsByte)
            return $"it reads {replacement.Features.Describe()}, and the one in service {Features.Describe()}.";
        var (missing, added) = (Classes.Except(replacement.Classes).ToArray(), replacement.Classes.Except(Classes).ToArray());
        return missing.Length + added.Length == 0 ? null : $"its classes differ; missing: {Names(missing)}; new: {Names(added)}.";

        static string Names(string[] classes) => classes.Length == 0 ? "none" : string.Join(", ", classes.Take(10).Select(name => $"'{name}'")) + (classes.Length > 10 ? ", …" : "");
    }

    public void Dispose()
    {
        Scorer.Dispose();
        (Model as IDisposable)?.Dispose();
    }

    private static ITransformer LoadModel(MLContext mlContext, byte[] content, out DataViewSchema inputSchema)
    {
        // ML.NET writes the network to a file with a random name. One name of 32,768 ends in '.ort', which ONNX Runtime takes for another format; the next name does not.
        try
        {
            return mlContext.Model.Load(new MemoryStream(content), out inputSchema);
        }
        catch (Exception e) when (e.ToString().Contains("ORT model verification failed", StringComparison.Ordinal))
        {
            return mlContext.Model.Load(new MemoryStream(content), out inputSchema);
        }
    }

    private static DataViewSchema OutputsFor(ITransformer model, DataViewSchema rows)
    {
        try
        {
            return model.GetOutputSchema(rows);
        }
        catch (ArgumentException e)
        {
            var given = string.Join(" and ", rows.Select(column => $"'{column.Name}'"));
            throw new InvalidOperationException($"it needs more or other columns than {given}, which this service gives it: {e.Message}", e);
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
