using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MlNetDistill.Computing;

/// <summary>
/// The softmax of ML.NET's maximum-entropy model, bit for bit: p = exp(z - s), where s = max + log(1 + Σ exp(z - max)) leaves out what is more than 30 below the
/// maximum, differences and results are 32-bit and the rest is 64-bit.
/// </summary>
internal static class Softmax
{
    // ML.NET's MathUtils.LogTolerance.
    private const float Tolerance = 30;

    // exp of it is 0 as a 32-bit number, and an ordinary 64-bit number.
    private const float Negligible = -200;

    // Larger than the errors of the exponential functions of .NET and of the C library. What rounds to the same 32-bit number from both sides is the same in both.
    private const double RelativeError = 1e-14;
    private const int Lanes = LinearLayer.Lanes;

    /// <summary>Computes the probabilities of a row.</summary>
    /// <param name="logits">The logits, followed by space up to a whole vector, which is overwritten.</param>
    /// <param name="scratch">As long as <paramref name="logits"/>; it is overwritten.</param>
    /// <param name="probabilities">Gets a probability for each class.</param>
    public static void Compute(Span<float> logits, Span<double> scratch, Span<float> probabilities)
    {
        var classes = probabilities.Length;
        if (Vector512.IsHardwareAccelerated && TryComputeFast(logits, classes, scratch))
            logits[..classes].CopyTo(probabilities);
        else
            ComputePlain(logits[..classes], probabilities);
    }

    private static void ComputePlain(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        var (largest, at) = (float.NegativeInfinity, 0);
        for (var i = 0; i < logits.Length; i++)
        {
            if (logits[i] > largest)
                (largest, at) = (logits[i], i);
        }

        double sum = 0;
        for (var i = 0; i < logits.Length; i++)
        {
            if (i != at && logits[i] > largest - Tolerance)
                sum += Math.Exp(logits[i] - largest);
        }

        var logSum = sum > 0 ? (float)(largest + Math.Log(1 + sum)) : largest;
        for (var i = 0; i < logits.Length; i++)
            probabilities[i] = (float)Math.Exp(logits[i] - logSum);
    }

    /// <summary>
    /// Replaces the logits by probabilities with vectors; false, and the logits unchanged, where a result might be rounded in another way than by <see cref="ComputePlain"/>,
    /// which is rare.
    /// </summary>
    private static bool TryComputeFast(Span<float> logits, int classes, Span<double> exponentials)
    {
        var padded = (classes + Lanes - 1) / Lanes * Lanes;
        logits[classes..padded].Fill(float.MinValue);
        var (largest, sum) = Sum(logits[..padded], exponentials);
        // The term of the maximum itself is 1.
        var logSum = largest + Math.Log(sum);
        var error = RelativeError + (classes * 1e-15);
        return float.IsFinite(largest) && (float)(logSum - error) == (float)(logSum + error)
            && TryReplace(logits[..padded], exponentials, largest, (float)logSum);
    }

    /// <summary>The largest logit, and exp(z - max) for each and as a sum.</summary>
    private static (float Largest, double Sum) Sum(ReadOnlySpan<float> logits, Span<double> exponentials)
    {
        ref var z = ref MemoryMarshal.GetReference(logits);
        ref var exponential = ref MemoryMarshal.GetReference(exponentials);
        var most = Vector512.LoadUnsafe(ref z);
        for (nuint i = Lanes; i < (nuint)logits.Length; i += Lanes)
            most = Vector512.Max(most, Vector512.LoadUnsafe(ref z, i));
        var largest = Largest(most);
        var sums = Vector512<double>.Zero;
        var (top, cutoff, negligible) = (Vector512.Create(largest), Vector512.Create(largest - Tolerance), Vector512.Create(Negligible));
        for (nuint i = 0; i < (nuint)logits.Length; i += Lanes)
        {
            var value = Vector512.LoadUnsafe(ref z, i);
            var difference = Vector512.MaxNative(value - top, negligible);
            var counts = Vector512.GreaterThan(value, cutoff).AsInt32();
            var lower = Vector512.Exp(Vector512.WidenLower(difference));
            lower.StoreUnsafe(ref exponential, i);
            sums += lower & Vector512.WidenLower(counts).AsDouble();
            var upper = Vector512.Exp(Vector512.WidenUpper(difference));
            upper.StoreUnsafe(ref exponential, i + (Lanes / 2));
            sums += upper & Vector512.WidenUpper(counts).AsDouble();
        }

        return (largest, Vector512.Sum(sums));
    }

    /// <summary>exp(z - s) = exp(z - max)·exp(max - s)·exp(t), where t, of the size of rounding errors, is what the 32-bit differences differ by.</summary>
    private static bool TryReplace(Span<float> logits, Span<double> exponentials, float largest, float logSum)
    {
        ref var z = ref MemoryMarshal.GetReference(logits);
        ref var exponential = ref MemoryMarshal.GetReference(exponentials);
        var shift = (double)largest - logSum;
        var (factor, shifts) = (Vector512.Create(Math.Exp(shift)), Vector512.Create(shift));
        var (top, subtracted, negligible) = (Vector512.Create(largest), Vector512.Create(logSum), Vector512.Create(Negligible));
        var same = Vector512<float>.AllBitsSet;
        for (nuint i = 0; i < (nuint)logits.Length; i += Lanes)
        {
            var value = Vector512.LoadUnsafe(ref z, i);
            var (difference, before) = (Vector512.MaxNative(value - subtracted, negligible), Vector512.MaxNative(value - top, negligible));
            var lower = Vector512.LoadUnsafe(ref exponential, i) * factor
                * ExpOfRounding(Vector512.WidenLower(difference) - Vector512.WidenLower(before) - shifts);
            var upper = Vector512.LoadUnsafe(ref exponential, i + (Lanes / 2)) * factor
                * ExpOfRounding(Vector512.WidenUpper(difference) - Vector512.WidenUpper(before) - shifts);
            lower.StoreUnsafe(ref exponential, i);
            upper.StoreUnsafe(ref exponential, i + (Lanes / 2));
            var below = Vector512.Narrow(lower * (1 - RelativeError), upper * (1 - RelativeError));
            same &= Vector512.Equals(below, Vector512.Narrow(lower * (1 + RelativeError), upper * (1 + RelativeError)));
        }

        if (!Vector512.EqualsAll(same.AsInt32(), Vector512<int>.AllBitsSet))
            return false;
        for (nuint i = 0; i < (nuint)logits.Length; i += Lanes)
            Vector512.Narrow(Vector512.LoadUnsafe(ref exponential, i), Vector512.LoadUnsafe(ref exponential, i + (Lanes / 2))).StoreUnsafe(ref z, i);
        return true;
    }

    /// <summary>exp(t) for |t| below 2·10⁻⁵, which rounding differences up to 200 stays below: what is left out is below 2·10⁻¹⁵.</summary>
    private static Vector512<double> ExpOfRounding(Vector512<double> t) => Vector512<double>.One + (t * (Vector512<double>.One + (t * 0.5)));

    /// <summary>The largest lane; NaN where one is.</summary>
    private static float Largest(Vector512<float> values)
    {
        var eight = Vector256.Max(values.GetLower(), values.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(four[0], four[1]);
    }
}
