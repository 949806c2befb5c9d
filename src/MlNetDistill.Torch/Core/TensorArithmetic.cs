using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Core;

/// <summary>
/// Arithmetic of tensors with numbers that is safe against garbage collection. <c>tensor.mul(2.0)</c> creates a native number, and TorchSharp 0.107 does
/// not keep it alive during the native call: if the garbage collector runs at that moment, the number is freed while native code reads it, and the step fails
/// or computes with arbitrary values. Even <c>a.add(b)</c> passes a number, its factor 1 (<c>a.sub(b)</c> does not). These methods keep the number alive; use
/// them in your own losses and blocks.
/// </summary>
public static class TensorArithmetic
{
    private static readonly Scalar One = 1.ToScalar();

    /// <summary>a + b, with broadcasting.</summary>
    public static Tensor Add(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>Every element plus <paramref name="term"/>.</summary>
    public static Tensor Add(this Tensor tensor, double term)
    {
        using var number = term.ToScalar();
        return tensor.add(number, One);
    }

    /// <summary>a ← a + b.</summary>
    internal static Tensor AddInPlace(this Tensor a, Tensor b) => a.add_(b, One);

    /// <summary>0, 1, … <paramref name="count"/> - 1 as 64-bit integers.</summary>
    internal static Tensor Range(long count, Device device)
    {
        using var first = 0L.ToScalar();
        using var end = count.ToScalar();
        using var step = 1L.ToScalar();
        return arange(first, end, step, int64, device);
    }

    /// <summary>The tensor on a device: itself where it is there already, else a copy in the current dispose scope.</summary>
    internal static Tensor On(this Tensor tensor, Device device) =>
        tensor.device_type == device.type && (device.index < 0 || tensor.device_index == device.index) ? tensor : tensor.to(device);

    /// <summary>Every element times <paramref name="factor"/>.</summary>
    public static Tensor MultiplyBy(this Tensor tensor, double factor)
    {
        using var number = factor.ToScalar();
        return tensor.mul(number);
    }

    /// <summary>Every element divided by <paramref name="divisor"/>.</summary>
    public static Tensor DivideBy(this Tensor tensor, double divisor)
    {
        using var number = divisor.ToScalar();
        return tensor.div(number);
    }

    /// <summary>log softmax(logits / temperature), row by row: B×K to B×K.</summary>
    // A multiplication is faster than a division, noticeably so in a step of a small network, forward and backward.
    public static Tensor LogSoftmax(this Tensor logits, double temperature) =>
        nn.functional.log_softmax(temperature == 1 ? logits : logits.MultiplyBy(1 / temperature), 1);

    /// <summary>Every element, but at least <paramref name="least"/>.</summary>
    public static Tensor ClampMin(this Tensor tensor, double least)
    {
        using var number = least.ToScalar();
        return tensor.clamp_min(number);
    }

    internal static Tensor IsEqualTo(this Tensor tensor, long value)
    {
        using var number = value.ToScalar();
        return tensor.eq(number);
    }

    internal static Tensor IsNotEqualTo(this Tensor tensor, long value)
    {
        using var number = value.ToScalar();
        return tensor.ne(number);
    }

    /// <summary>Where values are below <paramref name="limit"/>; NaN is not.</summary>
    internal static Tensor IsBelow(this Tensor tensor, double limit)
    {
        using var number = limit.ToScalar();
        return tensor.lt(number);
    }

    /// <summary>Where values are at most <paramref name="most"/>; NaN is not.</summary>
    internal static Tensor IsAtMost(this Tensor tensor, double most)
    {
        using var number = most.ToScalar();
        return tensor.le(number);
    }

    /// <summary>The tensor with <paramref name="value"/> where <paramref name="mask"/> is true.</summary>
    internal static Tensor MaskedFill(this Tensor tensor, Tensor mask, double value)
    {
        using var number = value.ToScalar();
        return tensor.masked_fill(mask, number);
    }

    /// <summary>Whole numbers times a whole number, exactly; overflow wraps.</summary>
    internal static Tensor MultiplyByInteger(this Tensor tensor, long factor)
    {
        using var number = factor.ToScalar();
        return tensor.mul(number);
    }

    /// <summary>Whole numbers plus a whole number, exactly; overflow wraps.</summary>
    internal static Tensor AddInteger(this Tensor tensor, long addend)
    {
        using var number = addend.ToScalar();
        return tensor.add(number, One);
    }

    /// <summary>Whole numbers, brought into [<paramref name="least"/>, <paramref name="most"/>].</summary>
    internal static Tensor Clamp(this Tensor tensor, long least, long most)
    {
        using var low = least.ToScalar();
        using var high = most.ToScalar();
        return tensor.clamp(low, high);
    }

    /// <summary>Values, brought into [<paramref name="least"/>, <paramref name="most"/>]; those outside get no gradient.</summary>
    internal static Tensor Clamp(this Tensor tensor, double least, double most)
    {
        using var low = least.ToScalar();
        using var high = most.ToScalar();
        return tensor.clamp(low, high);
    }

    internal static Tensor IsLessThan(this Tensor tensor, long value)
    {
        using var number = value.ToScalar();
        return tensor.lt(number);
    }
}
