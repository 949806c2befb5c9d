using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Rounding to bfloat16 without torch: the upper half of a 32-bit float, rounded to the nearest, and to the even one of two.</summary>
internal static class Rounded
{
    /// <summary>The largest relative error: half a unit of the last of 8 significant bits.</summary>
    public const double Error = 1.0 / 256;

    public static float Value(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
    }

    /// <summary>The rounded values, as 64-bit floats in which sums of their products are exact enough to compare with.</summary>
    public static Tensor Exact(Tensor values)
    {
        var rounded = values.detach().to(float32).contiguous().data<float>().Select(value => (double)Value(value)).ToArray();
        return tensor(rounded).reshape(values.shape);
    }
}
