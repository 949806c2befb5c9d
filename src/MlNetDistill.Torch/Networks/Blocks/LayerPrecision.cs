using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>The precision in which the layers of this thread compute at present: TorchSharp has no autocast.</summary>
internal static class LayerPrecision
{
    [ThreadStatic]
    private static TrainingPrecision _current;

    public static bool IsBFloat16 => _current == TrainingPrecision.BFloat16;

    /// <summary>Layers compute in <paramref name="precision"/> until the result is disposed.</summary>
    public static Scope Use(TrainingPrecision precision)
    {
        var scope = new Scope(_current);
        _current = precision;
        return scope;
    }

    /// <summary>The tensor as code reads it that is not ours, or a loss: in 32-bit floats where layers compute in less.</summary>
    public static Tensor Widen(Tensor tensor) => IsBFloat16 && tensor.dtype == ScalarType.BFloat16 ? tensor.to(float32) : tensor;

    /// <summary>Restores the precision before.</summary>
    public readonly struct Scope(TrainingPrecision before) : IDisposable
    {
        public void Dispose() => _current = before;
    }
}
