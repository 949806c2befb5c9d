using static TorchSharp.torch;

namespace MlNetDistill.Core;

/// <summary>
/// The source of all randomness of a run: one generator per purpose, derived from the run's seed, so that one part of a run can draw more without changing the
/// draws of another. The process-wide generators of TorchSharp and of the application are never used.
/// </summary>
internal sealed class Seeds(int seed)
{
    public Generator CreateGenerator(string purpose) => new(Derive(purpose));

    public int DeriveInteger(string purpose) => (int)(Derive(purpose) & int.MaxValue);

    private ulong Derive(string purpose)
    {
        // FNV-1a over the purpose, then the finalizer of splitmix64, so that similar seeds give unrelated generators.
        var hash = 14695981039346656037UL ^ (uint)seed;
        foreach (var c in purpose)
            hash = (hash ^ c) * 1099511628211UL;
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9UL;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebUL;
        return hash ^ (hash >> 31);
    }
}
