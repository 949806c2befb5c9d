using System.Globalization;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// What the weights of a network under construction take, counted before it is allocated. From where there is no room on, they are made on the device of
/// tensors without values, so that the count goes on to its end.
/// </summary>
internal sealed class WeightMemory : IDisposable
{
    [ThreadStatic]
    private static WeightMemory? _current;

    private readonly WeightMemory? _outer = _current;
    private readonly long _most;
    private Int128 _bytes;

    /// <summary>Begins to count what this thread lays out.</summary>
    /// <param name="most">Bytes from which on nothing more is made, only counted.</param>
    public WeightMemory(long most)
    {
        _most = Math.Min(most, Available);
        _current = this;
    }

    /// <summary>Bytes that are taken before it is known how many there will be.</summary>
    public const long UncheckedBytes = 1L << 30;

    /// <summary>Bytes that this process may take: the machine's memory, or what a container allows of it.</summary>
    public static long Available => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Counts 32-bit floats of this shape and says where to make them: on the CPU, or on the device of tensors without values.</summary>
    /// <exception cref="InvalidOperationException">They are more than can be counted on, or do not fit and belong to no network under construction.</exception>
    public static Device Reserve(params ReadOnlySpan<long> shape)
    {
        Int128 bytes = sizeof(float);
        foreach (var size in shape)
            bytes = Int128.Min(bytes * Math.Max(0, size), long.MaxValue + (Int128)1);
        var total = bytes + (_current?._bytes ?? 0);
        if (total <= (_current?._most ?? Available))
        {
            _current?._bytes = total;
            return CPU;
        }

        _current?._bytes = total;
        return _current is null || bytes > long.MaxValue ? throw TooLarge(FormattableString.Invariant($"A tensor of {string.Join('×', shape.ToArray())} 32-bit floats"), total) : META;
    }

    /// <summary>Whether some weights were only counted.</summary>
    public bool IsPastLimit => _bytes > _most;

    /// <summary>Whether the weights counted so far do not fit.</summary>
    public bool IsExceeded => _bytes > Available;

    public InvalidOperationException TooLarge(string network) => TooLarge($"The weights of {network}", _bytes);

    /// <summary>What is said of something that does not fit.</summary>
    public static InvalidOperationException TooLarge(string what, Int128 bytes, string remedy = "Take a smaller network: fewer or narrower layers.") => new(string.Create(
        CultureInfo.InvariantCulture,
        $"{what} would take at least {Int128.Min(bytes, long.MaxValue):N0} bytes; {Available:N0} are available to this process. {remedy}"));

    public void Dispose() => _current = _outer;
}
