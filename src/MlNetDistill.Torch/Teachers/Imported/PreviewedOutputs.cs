using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>The outputs computed for a preview of a teacher, batch by batch, until its cache takes them over, so that no row is computed twice.</summary>
/// <param name="set">The rows.</param>
/// <param name="kept">The outputs that the cache will keep.</param>
internal sealed class PreviewedOutputs(IRowSource set, ModelOutputs kept) : IDisposable
{
    private readonly Dictionary<long, (long[] Positions, Tensor[] Parts)> _batches = [];

    /// <summary>The outputs that the cache will keep.</summary>
    public ModelOutputs Kept => kept;

    /// <summary>Whether the preview is of these rows.</summary>
    public bool IsOf(IRowSource rows) => ReferenceEquals(rows, set);

    /// <summary>Keeps the outputs of a batch.</summary>
    public void Keep(Batch batch, NetworkOutput output)
    {
        var positions = batch.Positions.cpu().data<long>().ToArray();
        Drop(positions[0]);
        _batches[positions[0]] = (positions, LiveOutputs.CopyOutputs(output, kept));
    }

    /// <summary>Removes and returns the outputs of exactly the rows at <paramref name="positions"/>, 32-bit floats on the CPU; null if these rows were not one batch.</summary>
    public Tensor[]? Take(Tensor positions)
    {
        var wanted = positions.cpu().data<long>().ToArray();
        if (!_batches.TryGetValue(wanted[0], out var found) || !found.Positions.AsSpan().SequenceEqual(wanted))
            return null;
        _batches.Remove(wanted[0]);
        return found.Parts;
    }

    public void Dispose()
    {
        foreach (var first in _batches.Keys.ToArray())
            Drop(first);
    }

    private void Drop(long first)
    {
        if (!_batches.Remove(first, out var batch))
            return;
        foreach (var part in batch.Parts)
            part.Dispose();
    }
}
