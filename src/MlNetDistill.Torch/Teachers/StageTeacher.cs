using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher as a training stage sees it: outputs for a batch. It is never trained and never part of the gradient graph.</summary>
public abstract class StageTeacher
{
    /// <summary>What it can give.</summary>
    public abstract OutputKinds Provides { get; }

    /// <summary>Number of classes it scores.</summary>
    public abstract int Classes { get; }

    /// <summary>Its outputs for <paramref name="batch"/>, without gradient, in the current dispose scope.</summary>
    public abstract NetworkOutput Outputs(Batch batch);

    /// <summary>log softmax(logits / temperature) for <paramref name="batch"/>, in the current dispose scope.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="outputs">What <see cref="Outputs"/> gave for it.</param>
    /// <param name="temperature">The softening divisor, above 0.</param>
    public virtual Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature) => outputs.Logits.LogSoftmaxAt(temperature);
}

/// <summary>Logits computed before training, looked up by position after the join by row id.</summary>
internal sealed class RecordedTeacher : StageTeacher, IDisposable
{
    // Softened probabilities of all rows are kept up to this many values (256 MiB) for each temperature; beyond, batches are softened one by one.
    private const long MostKept = 64L << 20;
    private readonly TrainingSet _set;
    private readonly Tensor _logits;
    private readonly Dictionary<double, Tensor> _softened = [];

    public RecordedTeacher(TeacherRecord record, TrainingSet set, Device device)
    {
        _set = set;
        var logits = record.LogitsFor(set);
        _logits = logits.to(device).DetachFromDisposeScope();
        if (!ReferenceEquals(_logits, logits))
            logits.Dispose();
    }

    public override OutputKinds Provides => OutputKinds.Logits;

    public override int Classes => (int)_logits.shape[1];

    public override NetworkOutput Outputs(Batch batch)
    {
        Check(batch);
        return NetworkOutput.OfLogits(_logits.index_select(0, batch.Positions));
    }

    public override Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature)
    {
        if (_logits.numel() > MostKept)
            return base.LogProbabilities(batch, outputs, temperature);
        Check(batch);
        if (!_softened.TryGetValue(temperature, out var all))
            _softened[temperature] = all = _logits.LogSoftmaxAt(temperature).DetachFromDisposeScope();
        return all.index_select(0, batch.Positions);
    }

    public void Dispose()
    {
        _logits.Dispose();
        foreach (var tensor in _softened.Values)
            tensor.Dispose();
    }

    private void Check(Batch batch)
    {
        if (!ReferenceEquals(batch.Set, _set) || batch.View != 0)
            throw new InvalidOperationException("A recorded teacher answers only for the unaugmented rows it was asked about.");
    }
}
