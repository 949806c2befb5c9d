using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher's answers for all rows of a set, in its order and on its device: looked up instead of computed.</summary>
internal sealed class AnswerTable : IDisposable
{
    // Softened probabilities of all rows are kept up to this many values (256 MiB) for each temperature; beyond, batches are softened one by one.
    private const long MostKept = 64L << 20;
    private readonly TrainingSet _set;
    private readonly Tensor _logits;
    private readonly Tensor? _embedding;
    private readonly Dictionary<double, Tensor> _softened = [];

    /// <summary>Takes ownership of the tensors.</summary>
    public AnswerTable(TrainingSet set, Tensor logits, Tensor? embedding)
    {
        _set = set;
        _logits = logits;
        _embedding = embedding;
    }

    public OutputShapes Shapes => new((int)_logits.shape[1], (int?)_embedding?.shape[1], []);

    /// <summary>Whether the table answers for these rows: rows of its set, as they are.</summary>
    public bool Covers(Batch batch) => ReferenceEquals(batch.Set, _set) && batch.View == 0;

    /// <summary>Whether the table holds all that is wanted for a set.</summary>
    public bool Holds(TrainingSet set, OutputKinds wanted) => ReferenceEquals(set, _set) && (wanted & ~Shapes.Kinds) == OutputKinds.None;

    public NetworkOutput Outputs(Batch batch, OutputKinds wanted) => new(
        wanted.HasFlag(OutputKinds.Logits) ? _logits.index_select(0, batch.Positions) : null,
        wanted.HasFlag(OutputKinds.Embedding) ? _embedding!.index_select(0, batch.Positions) : null);

    public Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature)
    {
        if (_logits.numel() > MostKept)
            return outputs.Logits.LogSoftmaxAt(temperature);
        if (!_softened.TryGetValue(temperature, out var all))
            _softened[temperature] = all = _logits.LogSoftmaxAt(temperature).DetachFromDisposeScope();
        return all.index_select(0, batch.Positions);
    }

    public void Dispose()
    {
        _logits.Dispose();
        _embedding?.Dispose();
        foreach (var tensor in _softened.Values)
            tensor.Dispose();
    }
}
