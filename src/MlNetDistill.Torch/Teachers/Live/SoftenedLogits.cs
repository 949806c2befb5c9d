using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>log softmax(logits / T) of all rows, kept for each temperature asked for.</summary>
/// <param name="logits">N×K 32-bit floats; stays the caller's.</param>
/// <param name="room">Bytes that all that is kept may take.</param>
internal sealed class SoftenedLogits(Tensor logits, long room) : IDisposable
{
    // Kept up to this many values (256 MiB) for each temperature; beyond, batches are softened one by one.
    private const long MostKept = 64L << 20;
    private readonly Dictionary<double, Tensor> _kept = [];

    /// <summary>Those of some rows, in the current dispose scope; null where they are too many to keep.</summary>
    public Tensor? Get(double temperature, Tensor positions)
    {
        if (!_kept.TryGetValue(temperature, out var all))
        {
            if (logits.numel() > MostKept || (_kept.Count + 1) * logits.numel() * sizeof(float) > room)
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
