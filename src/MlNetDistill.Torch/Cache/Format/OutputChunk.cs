using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A teacher's outputs for n rows. The code that computes them disposes them when the next chunk is requested.</summary>
/// <param name="Ids">Ids of the rows.</param>
/// <param name="Parts">
/// The cached outputs in this order: logits n×K, embedding n×D, then the stage features n×C×H×W or n×D one by one; 32-bit floats on the CPU, all finite.
/// </param>
internal sealed record OutputChunk(IReadOnlyList<RowId> Ids, IReadOnlyList<Tensor> Parts) : IDisposable
{
    public void Dispose()
    {
        foreach (var part in Parts)
            part.Dispose();
    }
}
