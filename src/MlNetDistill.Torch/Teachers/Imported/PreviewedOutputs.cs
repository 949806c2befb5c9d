using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>What a teacher answered when it was looked at, batch by batch, until its record takes that over: so no row is asked about twice.</summary>
/// <param name="set">The rows.</param>
/// <param name="kept">What the record is going to keep of them.</param>
internal sealed class PreviewedOutputs(IRowSource set, ModelOutputs kept) : IDisposable
{
    private readonly Dictionary<long, (long[] Positions, Tensor[] Parts)> _answers = [];

    /// <summary>What the record is going to keep.</summary>
    public ModelOutputs Kept => kept;

    /// <summary>Whether these are rows that the record is of.</summary>
    public bool IsOf(IRowSource rows) => ReferenceEquals(rows, set);

    /// <summary>Keeps the answers to a batch.</summary>
    public void Keep(Batch batch, NetworkOutput output)
    {
        var positions = batch.Positions.cpu().data<long>().ToArray();
        Drop(positions[0]);
        _answers[positions[0]] = (positions, LiveOutputs.CopyOutputs(output, kept));
    }

    /// <summary>Hands over the answers to the very rows at <paramref name="positions"/>, in 32-bit floats on the CPU; null where these were not asked about together.</summary>
    public Tensor[]? Take(Tensor positions)
    {
        var asked = positions.cpu().data<long>().ToArray();
        if (!_answers.TryGetValue(asked[0], out var found) || !found.Positions.AsSpan().SequenceEqual(asked))
            return null;
        _answers.Remove(asked[0]);
        return found.Parts;
    }

    public void Dispose()
    {
        foreach (var first in _answers.Keys.ToArray())
            Drop(first);
    }

    private void Drop(long first)
    {
        if (!_answers.Remove(first, out var answer))
            return;
        foreach (var part in answer.Parts)
            part.Dispose();
    }
}
