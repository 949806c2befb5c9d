using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>log softmax(logits / T) of all rows, kept for each temperature that is used.</summary>
/// <param name="logits">N×K 32-bit floats; the caller disposes them.</param>
/// <param name="byteLimit">Bytes that the kept tensors may take in total.</param>
internal sealed class SoftenedLogits(Tensor logits, long byteLimit) : IDisposable
{
    // Up to this many values (256 MiB) are kept for each temperature; with more, each batch is softened by itself.
    private const long MaxKeptValues = 64L << 20;
    private readonly Dictionary<double, Tensor> _kept = [];

    /// <summary>The values of some rows, in the current dispose scope; null if there are too many to keep.</summary>
    public Tensor? Get(double temperature, Tensor positions)
    {
        if (!_kept.TryGetValue(temperature, out var all))
        {
            if (logits.numel() > MaxKeptValues || (_kept.Count + 1) * logits.numel() * sizeof(float) > byteLimit)
                return null;
            _kept[temperature] = all = logits.LogSoftmax(temperature).DetachFromDisposeScope();
        }

        return all.index_select(0, positions);
    }

    public void Dispose()
    {
        foreach (var tensor in _kept.Values)
            tensor.Dispose();
    }
}
