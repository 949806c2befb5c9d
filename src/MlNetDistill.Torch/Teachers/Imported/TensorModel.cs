using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// An imported model that maps tensors to tensors: an ONNX file, a TorchScript file, a module. Splits batches into the sizes that the model accepts, checks its
/// outputs, and finds their shapes by running trial rows first.
/// </summary>
internal abstract class TensorModel : IDisposable
{
    private const int Repeats = 4;
    private readonly InputAdapter _adapter;
    private readonly Device _device;
    private OutputShapes? _shapes;
    private int _rowsPerRun = int.MaxValue;
    private bool _hasFixedBatchSize;

    /// <summary>The adapter is disposed with the model.</summary>
    protected TensorModel(string title, InputAdapter adapter, Device device) => (Title, _adapter, _device) = (title, adapter, device);

    /// <summary>Its name in messages: a file in quotes, or the name of a module's type.</summary>
    public abstract string Name { get; }

    /// <summary>A hash, in hexadecimal, of everything its outputs depend on: its bytes or weights, which outputs are used, how the input is prepared.</summary>
    public abstract string ContentHash { get; }

    /// <summary>Whether what it gives as class scores are embeddings.</summary>
    public bool GivesEmbeddings { get; init; }

    /// <summary>The shapes of its outputs, in its own order of classes.</summary>
    public OutputShapes Shapes => _shapes ?? throw new InvalidOperationException("The shapes are known only after the model was probed.");

    /// <summary>The model at the beginning of a sentence: "The ONNX model 'a.onnx'".</summary>
    protected string Title { get; }

    /// <summary>The outputs that the model can give.</summary>
    protected abstract ModelOutputs AvailableOutputs { get; }

    /// <summary>Its outputs, at least the <paramref name="wanted"/>, as 32-bit floats without gradient on the rows' device, in the current dispose scope.</summary>
    /// <param name="rows">B×(shape of a row), as the training set has them: bytes or 32-bit floats.</param>
    /// <param name="wanted">The outputs to compute. <see cref="NetworkOutput.Logits"/> are its raw class scores, which may be probabilities.</param>
    public NetworkOutput ComputeOutputs(Tensor rows, ModelOutputs wanted)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parts = new List<NetworkOutput>();
        for (long at = 0, count; at < rows.shape[0]; at += count)
        {
            count = Math.Min(_rowsPerRun, rows.shape[0] - at);
            parts.Add(RunBatch(rows.narrow(0, at, count), wanted));
        }

        return ImportedOutputs.Concatenate(parts).Map(t => t.MoveToOuterDisposeScope());
    }

    public virtual void Dispose() => _adapter.Dispose();

    /// <summary>Runs the model: its raw outputs, at least the <paramref name="wanted"/>. An exception names the model.</summary>
    protected abstract NetworkOutput Run(Tensor input, ModelOutputs wanted);

    /// <summary>Creates the exception for a failure inside the model.</summary>
    protected static InvalidOperationException CreateFailure(string title, Tensor input, Exception inner) => new(
        $"{title} failed on {ModelInput.TypeName(input.dtype)} rows [{string.Join(", ", input.shape)}]: {NativeErrorMessage.Summarize(inner.Message)}", inner);

    /// <summary>Runs trial rows to find the output shapes and how many rows the model accepts at a time.</summary>
    /// <param name="atMost">Maximum rows in one run.</param>
    /// <param name="fixedRows">Rows that each run must have; null if any number is accepted.</param>
    /// <param name="warn">Receives a warning if the model must be run row by row.</param>
    protected void Probe(int atMost, int? fixedRows, Action<string> warn)
    {
        using var scope = NewDisposeScope();
        var rows = _adapter.TrialRows();
        (_rowsPerRun, _hasFixedBatchSize) = (fixedRows ?? 1, fixedRows is not null);
        _shapes = ImportedOutputs.GetShapes(ComputeOutputs(rows.narrow(0, 0, 1), AvailableOutputs));
        var single = RunRowByRow(ref rows);
        // Random outputs may be equal once by chance.
        if (Enumerable.Range(0, Repeats).Any(_ => !AreSame(single, ComputeOutputs(rows, AvailableOutputs))))
        {
            throw new InvalidOperationException($"{Title} gives different outputs each time it reads the same row, like a model in training mode. Export a file " +
                "after eval(); a module must not be random in eval mode.");
        }

        if (!_hasFixedBatchSize && atMost > 1)
            _rowsPerRun = MustRunRowByRow(rows, single, warn) ? 1 : atMost;
    }

    private NetworkOutput RunRowByRow(ref Tensor rows)
    {
        try
        {
            return ComputeOutputs(rows, AvailableOutputs);
        }
        catch (InvalidOperationException)
        {
            // The trial values may be outside the range of the model, of word indices for example; zeros have worked.
            rows = zeros_like(rows);
            return ComputeOutputs(rows, AvailableOutputs);
        }
    }

    private bool MustRunRowByRow(Tensor rows, NetworkOutput single, Action<string> warn)
    {
        string problem;
        try
        {
            _rowsPerRun = 2;
            if (AreSame(single, ComputeOutputs(rows, AvailableOutputs)))
                return false;
            problem = "gives other outputs for two rows at once than for each by itself";
        }
        catch (InvalidOperationException e)
        {
            problem = $"declares a dynamic batch size but fails on two rows ({NativeErrorMessage.Summarize(e.InnerException?.Message ?? e.Message)})";
        }

        warn($"{Title} {problem}: its batch size is fixed inside, or it was exported in training mode. It is run row by row, which is slow; export it with a dynamic " +
            "batch axis and in eval mode.");
        return true;
    }

    private NetworkOutput RunBatch(Tensor rows, ModelOutputs wanted)
    {
        using var scope = NewDisposeScope();
        var count = rows.shape[0];
        var padded = _hasFixedBatchSize && count < _rowsPerRun
            ? cat([rows, rows.narrow(0, count - 1, 1).expand([_rowsPerRun - count, .. rows.shape[1..]])])
            : rows;
        var raw = Run(_adapter.Prepare(padded.to(_device)), wanted);
        var output = ImportedOutputs.Validate(raw, padded.shape[0], Title, GivesEmbeddings).Map(t => t.narrow(0, 0, count).to(rows.device));
        if (_shapes is { } shapes)
            CheckShapes(shapes, output);
        return output.Map(t => t.MoveToOuterDisposeScope());
    }

    private void CheckShapes(OutputShapes shapes, NetworkOutput output)
    {
        var fits = (!output.Available.HasFlag(ModelOutputs.Logits) || output.Logits.shape[1] == shapes.LogitCount)
            && (!output.Available.HasFlag(ModelOutputs.Embedding) || output.Embedding.shape[1] == shapes.EmbeddingLength)
            && (!output.Available.HasFlag(ModelOutputs.StageFeatures) || (output.StageFeatures.Count == shapes.StageFeatures.Count
                && output.StageFeatures.Zip(shapes.StageFeatures).All(p => p.First.shape.AsSpan(1).SequenceEqual(p.Second))));
        if (!fits)
            throw new InvalidOperationException($"{Title} gave outputs of other shapes than for its first row; the shapes must be the same for all rows.");
    }

    // Kernels depend on the batch size, so the last digits may differ; half precision has three digits. With many classes probabilities are small.
    private static bool AreSame(NetworkOutput a, NetworkOutput b) => a.All.Zip(b.All).All(pair =>
        pair.First.shape.AsSpan().SequenceEqual(pair.Second.shape)
        && allclose(pair.First, pair.Second, 1e-2, 1e-3 * Math.Max(1e-3, Largest(pair.First)), equal_nan: true));

    private static double Largest(Tensor values)
    {
        var largest = values.numel() == 0 ? 0 : values.abs().max().item<float>();
        return float.IsFinite(largest) ? largest : 1;
    }
}
