using System.Globalization;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// Counts the memory of the weights of a network under construction, before they are allocated. Weights beyond the limit are created on the device 'meta', whose
/// tensors have no values, so that all weights are counted.
/// </summary>
internal sealed class WeightMemory : IDisposable
{
    [ThreadStatic]
    private static WeightMemory? _current;

    private readonly WeightMemory? _outer = _current;
    private readonly long _limit;
    private Int128 _bytes;

    /// <summary>Begins to count the weights that this thread creates.</summary>
    /// <param name="limit">Bytes beyond which weights are only counted.</param>
    public WeightMemory(long limit)
    {
        _limit = Math.Min(limit, Available);
        _current = this;
    }

    /// <summary>Bytes that may be allocated before the total is known.</summary>
    public const long UncheckedBytes = 1L << 30;

    /// <summary>Bytes that this process may use: the machine's memory, or the limit of its container.</summary>
    public static long Available => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Counts 32-bit floats of this shape and returns the device for them: the CPU, or 'meta' beyond the limit.</summary>
    /// <exception cref="InvalidOperationException">Their number overflows, or they exceed the memory and belong to no network under construction.</exception>
    public static Device Reserve(params ReadOnlySpan<long> shape)
    {
        Int128 bytes = sizeof(float);
        foreach (var size in shape)
            bytes = Int128.Min(bytes * Math.Max(0, size), long.MaxValue + (Int128)1);
        var total = bytes + (_current?._bytes ?? 0);
        if (total <= (_current?._limit ?? Available))
        {
            _current?._bytes = total;
            return CPU;
        }

        _current?._bytes = total;
        return _current is null || bytes > long.MaxValue ? throw CreateError(FormattableString.Invariant($"A tensor of {string.Join('×', shape.ToArray())} 32-bit floats"), total) : META;
    }

    /// <summary>Whether some weights were only counted.</summary>
    public bool IsPastLimit => _bytes > _limit;

    /// <summary>Whether the weights counted so far do not fit.</summary>
    public bool IsExceeded => _bytes > Available;

    public InvalidOperationException CreateError(string network) => CreateError($"The network {network}", _bytes);

    /// <summary>The exception for something that exceeds the memory.</summary>
    public static InvalidOperationException CreateError(string what, Int128 bytes, string remedy = "Use a smaller network, with fewer or narrower layers.") => new(string.Create(
        CultureInfo.InvariantCulture,
        $"{what} needs at least {Int128.Min(bytes, long.MaxValue):N0} bytes; {Available:N0} are available to this process. {remedy}"));

    public void Dispose() => _current = _outer;
}
