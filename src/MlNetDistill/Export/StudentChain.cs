using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static System.FormattableString;

namespace MlNetDistill.Export;

/// <summary>
/// Exports a network as a chain of ML.NET's own transformers that computes the same function: an ONNX model of the backbone, and the transformer of the task for the last
/// layer. A saved student is this chain.
/// </summary>
internal sealed class StudentChain
{
    // Names that users do not use. They must not end in ".output", which ML.NET's ONNX transformer removes.
    private const string Embedding = "__MlNetDistill.Embedding";
    private const string KeptScore = "__MlNetDistill.Score";

    private readonly MLContext _context;
    private readonly TrainerColumns _columns;
    private readonly TaskExport _task;
    private readonly OnnxForm? _form;
    private readonly byte[]? _backbone;
    private readonly VBuffer<float> _head;
    private readonly int _logitCount;
    private readonly int _embeddingLength;

    /// <summary>Exports <paramref name="network"/>, which must be in eval mode.</summary>
    /// <param name="context">Creates the chain.</param>
    /// <param name="network">The network.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="task">What the last layer becomes.</param>
    /// <param name="form">
    /// The numbers of the ONNX model; null for 32-bit floats. In another form the model has the last layer too, whose weights ML.NET would store as 32-bit floats: those of a perceptron of
    /// many classes are half of all. ML.NET's last layer is an identity then.
    /// </param>
    public StudentChain(MLContext context, Network network, TrainerColumns columns, TaskExport task, OnnxForm? form = null)
    {
        _context = context;
        _columns = columns;
        _task = task;
        _form = form;
        _logitCount = network.LogitCount;
        if (form is null)
        {
            _embeddingLength = network.EmbeddingLength;
            _backbone = network.IsLinear ? null : OnnxExport.WriteBackbone(network, columns.Features.Name, Embedding);
        }
        else
        {
            _embeddingLength = network.LogitCount;
            _backbone = OnnxExport.WriteLogits(network, columns.Features.Name, Embedding, form);
        }

        _head = form is not null || network.Head.IsIdentity ? Identity(network.LogitCount) : Dense([.. ReadValues(network.Head.Bias), .. ReadValues(network.Head.Weight)]);
        Scoring = SaveAndLoad();
    }

    /// <summary>The feature column.</summary>
    public DataViewSchema.Column Features => _columns.Features;

    /// <summary>Name of the score column.</summary>
    public string Score => _columns.Score;

    /// <summary>Name of the column of the predicted class.</summary>
    public string PredictedLabel => _columns.PredictedLabel;

    /// <summary>The chain after saving and loading it, so that scores are the same before a user saves it and after.</summary>
    public ITransformer Scoring { get; }

    /// <summary>The whole student as an ONNX model for use outside ML.NET.</summary>
    public byte[] WriteOnnx(Network network) => _task.WriteOnnx(network, Features.Name, _form);

    /// <summary>The student up to its embedding as an ONNX model.</summary>
    public byte[] WriteEmbeddingOnnx(Network network) => OnnxExport.WriteEmbedding(network, Features.Name, "Embedding", _form);

    /// <summary>The same student in another form.</summary>
    /// <param name="network">Its network, in eval mode.</param>
    /// <param name="form">The form.</param>
    /// <exception cref="NotSupportedException">An operator of the network has no such form.</exception>
    public StudentChain WithForm(Network network, OnnxForm form) => new(_context, network, _columns, _task, form);

    /// <summary>Name of the key column with the classes that it was trained on.</summary>
    public string ClassKey => _columns.ClassKey.Name;

    /// <summary>Bytes of the saved chain.</summary>
    public long MeasureSize()
    {
        long? bytes = null;
        WithSavable(chain => bytes = ModelSize.TryMeasure(_context, chain, InputView().Schema));
        return bytes ?? throw new InvalidOperationException("The student cannot be saved, so its size cannot be measured.");
    }

    /// <summary>Saves the chain.</summary>
    public void Save(ModelSaveContext context) => WithSavable(chain => ((ICanSaveModel)chain).Save(context));

    private static VBuffer<float> Dense(float[] values) => new(values.Length, values);

    /// <summary>Biases of 0 and the identity as weights, of which only the ones are stored: K² numbers would be far more than the network's own where there are many classes.</summary>
    private static VBuffer<float> Identity(int size)
    {
        var length = size + ((long)size * size);
        if (length > int.MaxValue)
        {
            throw new NotSupportedException(Invariant(
                $"A student whose ONNX model has the last layer too can have at most {(int)Math.Sqrt(int.MaxValue) - 1:N0} classes in ML.NET; found {size:N0}. ") +
                "Keep it in Float32, with a last layer of the library.");
        }

        return new((int)length, size, [.. Enumerable.Repeat(1f, size)], [.. Enumerable.Range(0, size).Select(i => size + (i * size) + i)]);
    }

    private static float[] ReadValues(TorchSharp.torch.Tensor tensor)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return [.. tensor.detach().to(TorchSharp.torch.float32).cpu().contiguous().data<float>()];
    }

    /// <summary>
    /// Saves the chain to memory and loads it. ML.NET's ONNX transformer reads its model from a file that it deletes only when it is disposed or finalised, and a process may
    /// end before that. So the file is in a folder of its own, which is deleted at once if the system can delete open files.
    /// </summary>
    private ITransformer SaveAndLoad() => TemporaryFolder.Use(_context.TempFilePath, "the student's ONNX model", folder =>
    {
        var context = new MLContext
        {
            GpuDeviceId = _context.GpuDeviceId,
            FallbackToCpu = _context.FallbackToCpu,
            TempFilePath = OperatingSystem.IsWindows() ? folder.Parent : folder.Path,
        };
        using var zip = new MemoryStream();
        WithSavable(chain => ModelSaving.SaveWithin(folder.Path, chain, InputView().Schema, zip));
        return OnnxFileName.LoadWithRetry(() =>
        {
            zip.Position = 0;
            return context.Model.Load(zip, out _);
        });
    });

    private void WithSavable(Action<ITransformer> use)
    {
        if (_backbone is null)
        {
            use(Assemble(null));
            return;
        }

        TemporaryFolder.Use(_context.TempFilePath, "the student's ONNX model", folder =>
        {
            var path = Path.Combine(folder.Path, "backbone.onnx");
            File.WriteAllBytes(path, _backbone);
            var onnx = _context.Transforms.ApplyOnnxModel([Embedding], [_columns.Features.Name], path).Fit(InputView());
            using var _ = onnx as IDisposable;
            use(Assemble(onnx));
            return true;
        });
    }

    private TransformerChain<ITransformer> Assemble(ITransformer? onnx)
    {
        var transforms = _context.Transforms;
        var parts = new List<ITransformer>();
        var view = InputView();
        var renames = _columns.Score != _task.ScoreColumn;
        var keeps = _columns.KeepsScore;
        if (keeps)
            Add(transforms.CopyColumns(KeptScore, _task.ScoreColumn).Fit(view));
        if (onnx is not null)
            Add(onnx);
        Add(_task.CreateHead(_context, _head, _logitCount, view.Schema[onnx is null ? _columns.Features.Name : Embedding], _embeddingLength));
        if (renames)
            Add(transforms.CopyColumns(_columns.Score, _task.ScoreColumn).Fit(view));
        if (keeps)
            Add(transforms.CopyColumns(_task.ScoreColumn, KeptScore).Fit(view));
        string[] dropped =
        [
            .. onnx is not null ? [Embedding] : Array.Empty<string>(),
            .. keeps ? [KeptScore] : Array.Empty<string>(),
            .. renames && !keeps ? [_task.ScoreColumn] : Array.Empty<string>(),
        ];
        if (dropped.Length > 0)
            Add(transforms.DropColumns(dropped).Fit(view));
        return new TransformerChain<ITransformer>([.. parts]);

        void Add(ITransformer part)
        {
            parts.Add(part);
            view = part.Transform(view);
        }
    }

    private IDataView InputView()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(_columns.Features.Name, _columns.Features.Type);
        if (_columns.KeepsScore && _columns.Features.Name != _task.ScoreColumn)
            builder.AddColumn(_task.ScoreColumn, new VectorDataViewType(NumberDataViewType.Single, _logitCount));
        return new EmptyView(builder.ToSchema());
    }
}
