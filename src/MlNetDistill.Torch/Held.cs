using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill;

/// <summary>
/// Arithmetic whose numbers live until the call returns. TorchSharp makes a finalisable <see cref="Scalar"/> of a number (the weight 1 of a
/// plain sum included) and passes on its bare handle: a garbage collection during the call can free it under libtorch's hands, and the call
/// then computes with another number, fails in Scalar.h or crashes the process. Whatever a training step computes with numbers goes this way.
/// </summary>
internal static class Held
{
    public static Tensor Times(this Tensor x, double factor)
    {
        using Scalar held = factor;
        return x.mul(held);
    }

    public static Tensor DividedBy(this Tensor x, double divisor)
    {
        using Scalar held = divisor;
        return x.div(held);
    }

    public static Tensor Plus(this Tensor x, Tensor y)
    {
        using Scalar one = 1;
        return x.add(y, one);
    }

    public static Tensor PlusInPlace(this Tensor x, Tensor y)
    {
        using Scalar one = 1;
        return x.add_(y, one);
    }

    public static Tensor AtLeast(this Tensor x, double least)
    {
        using Scalar held = least;
        return x.clamp_min(held);
    }

    public static Tensor IsBelow(this Tensor x, double bound)
    {
        using Scalar held = bound;
        return x.lt(held);
    }

    public static Tensor Is(this Tensor x, long value)
    {
        using Scalar held = value;
        return x.eq(held);
    }

    public static Tensor IsNot(this Tensor x, long value)
    {
        using Scalar held = value;
        return x.ne(held);
    }
}
