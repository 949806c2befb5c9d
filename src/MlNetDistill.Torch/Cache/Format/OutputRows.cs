using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>The fields of a record by position, wherever they are kept.</summary>
internal abstract class OutputRows : IDisposable
{
    /// <summary>Bytes held in memory.</summary>
    public abstract long Bytes { get; }

    /// <summary>A field's values for positions (int64, on the device): n×(its dimensions) in its type, on the device, in the current dispose scope.</summary>
    /// <param name="field">Number of the field.</param>
    /// <param name="positions">The positions.</param>
    /// <param name="view">The view, from 0.</param>
    public abstract Tensor Gather(int field, Tensor positions, int view);

    /// <summary>A field's values for all positions of all views in order, where they are held in one tensor. It stays with these rows.</summary>
    public abstract Tensor? Whole(int field);

    public abstract void Dispose();
}
