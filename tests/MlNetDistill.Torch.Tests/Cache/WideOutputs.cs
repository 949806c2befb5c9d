using MlNetDistill.Cache;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>Logits of many classes: class c has c thousandths.</summary>
internal static class WideOutputs
{
    public static IEnumerable<OutputChunk> Enumerate(CacheFileKey key, long from)
    {
        for (var row = (int)from; row < key.Rows; row++)
        {
            using var logits = tensor(Enumerable.Range(0, key.Shapes.LogitCount).Select(c => c / 1000f).ToArray()).reshape(1, -1).DetachFromDisposeScope();
            yield return new OutputChunk([ToyCache.Ids((int)key.Rows)[row]], [logits]);
        }
    }
}
