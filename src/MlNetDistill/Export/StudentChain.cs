using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Export;

/// <summary>
/// The one place where a torch network becomes an ML.NET model: a chain of in-box transformers that computes the same function, an ONNX
/// backbone and the last layer as a maximum-entropy predictor. The chain is all that a saved student consists of.
/// </summary>
internal sealed class StudentChain
{
    // Reserved names; without a ".output" suffix, which ML.NET's ONNX transformer strips.
    private const string Embedding = "__MlNetDistill.Embedding";
    private const string KeptScore = "__MlNetDistill.Score";
    private const string InBoxScore = "Score";

    private readonly MLContext _context;
    private readonly TrainerColumns _columns;
    private readonly byte[]? _backbone;
    private readonly float[] _head;
    private readonly int _classes;
    private readonly int _embeddingLength;

    /// <summary>Exports <paramref name="network"/>, which must be in eval mode.</summary>
    public StudentChain(MLContext context, Network network, TrainerColumns columns)
    {
        _context = context;
        _columns = columns;
        _classes = network.LogitCount;
        _embeddingLength = network.EmbeddingLength;
        _backbone = network.IsLinear ? null : OnnxExport.Backbone(network, columns.Features.Name, Embedding);
        _head = [.. Values(network.Head.Bias), .. Values(network.Head.Weight)];
        Scoring = Load();
    }

    /// <summary>The column of features.</summary>
    public DataViewSchema.Column Features => _columns.Features;

    /// <summary>Name of the probabilities.</summary>
    public string Score => _columns.Score;

    /// <summary>Name of the predicted class.</summary>
    public string PredictedLabel => _columns.PredictedLabel;

    /// <summary>The chain as it is after saving and loading: what is scored with before saving is what is scored with after.</summary>
    public ITransformer Scoring { get; }

    /// <summary>Saves the chain.</summary>
    public void Save(ModelSaveContext context) => WithSavable(chain => ((ICanSaveModel)chain).Save(context));

    private static float[] Values(TorchSharp.torch.Tensor tensor)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return [.. tensor.detach().to(TorchSharp.torch.float32).cpu().contiguous().data<float>()];
    }

    /// <summary>
    /// Saves the chain to memory and loads it. The in-box ONNX transformer reads its model from a file that it deletes only when disposed or
    /// finalised, and a process may end before that: so the file gets a folder of its own, which is removed at once where the system allows
    /// to unlink an open file.
    /// </summary>
    private ITransformer Load()
    {
        using var folder = new TemporaryFolder(_context.TempFilePath);
        var context = new MLContext
        {
            GpuDeviceId = _context.GpuDeviceId,
            FallbackToCpu = _context.FallbackToCpu,
            TempFilePath = OperatingSystem.IsWindows() ? folder.Parent : folder.Path,
        };
        using var zip = new MemoryStream();
        WithSavable(chain => context.Model.Save(chain, InputView().Schema, zip));
        return OnnxFileName.Another(() =>
        {
            zip.Position = 0;
            return context.Model.Load(zip, out _);
        });
    }

    private void WithSavable(Action<ITransformer> use)
    {
        if (_backbone is null)
        {
            use(Assemble(null));
            return;
        }

        using var folder = new TemporaryFolder(_context.TempFilePath);
        var path = Path.Combine(folder.Path, "backbone.onnx");
        File.WriteAllBytes(path, _backbone);
        var onnx = _context.Transforms.ApplyOnnxModel([Embedding], [_columns.Features.Name], path).Fit(InputView());
        using var _ = onnx as IDisposable;
        use(Assemble(onnx));
    }

    private TransformerChain<ITransformer> Assemble(ITransformer? onnx)
    {
        var transforms = _context.Transforms;
        var parts = new List<ITransformer>();
        var view = InputView();
        var renames = _columns.Score != InBoxScore;
        var keeps = _columns.KeepsScore;
        if (keeps)
            Add(transforms.CopyColumns(KeptScore, InBoxScore).Fit(view));
        if (onnx is not null)
            Add(onnx);
        var embedding = onnx is null ? _columns.Features.Name : Embedding;
        Add(InBox.MaximumEntropyHead(
            InBox.EnvironmentOf(_context.MulticlassClassification.Trainers),
            _head,
            _classes,
            _embeddingLength,
            HeadSchema(view.Schema[embedding]),
            embedding,
            _columns.ClassKey.Name,
            _columns.PredictedLabel));
        if (renames)
            Add(transforms.CopyColumns(_columns.Score, InBoxScore).Fit(view));
        if (keeps)
            Add(transforms.CopyColumns(InBoxScore, KeptScore).Fit(view));
        string[] surplus =
        [
            .. onnx is not null ? [Embedding] : Array.Empty<string>(),
            .. keeps ? [KeptScore] : Array.Empty<string>(),
            .. renames && !keeps ? [InBoxScore] : Array.Empty<string>(),
        ];
        if (surplus.Length > 0)
            Add(transforms.DropColumns(surplus).Fit(view));
        return new TransformerChain<ITransformer>([.. parts]);

        void Add(ITransformer part)
        {
            parts.Add(part);
            view = part.Transform(view);
        }
    }

    /// <summary>The training schema given to the head: its input, and the label with its key values.</summary>
    private DataViewSchema HeadSchema(DataViewSchema.Column input)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(input.Name, input.Type);
        builder.AddColumn(_columns.ClassKey.Name, _columns.ClassKey.Type, _columns.ClassKey.Annotations);
        return builder.ToSchema();
    }

    private IDataView InputView()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(_columns.Features.Name, _columns.Features.Type);
        if (_columns.KeepsScore && _columns.Features.Name != InBoxScore)
            builder.AddColumn(InBoxScore, new VectorDataViewType(NumberDataViewType.Single, _classes));
        return new EmptyView(builder.ToSchema());
    }
}
