using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>The cached fields by position, in memory or in a file.</summary>
internal abstract class OutputRows : IDisposable
{
    /// <summary>Bytes in memory.</summary>
    public abstract long Bytes { get; }

    /// <summary>A field's values of some positions (int64, on the device): n×(its dimensions) in its type, on the device, in the current dispose scope.</summary>
    /// <param name="field">Number of the field.</param>
    /// <param name="positions">The positions.</param>
    /// <param name="view">The view, from 0.</param>
    public abstract Tensor Gather(int field, Tensor positions, int view);

    /// <summary>A field's values of all positions of all views in order, if they are one tensor, which is disposed with these rows; else null.</summary>
    public abstract Tensor? Whole(int field);

    public abstract void Dispose();
}
