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
    public static void Compute(Span<float> logits, Span<float> scratch, Span<float> probabilities)
    {
        var classes = probabilities.Length;
        if (Vector512.IsHardwareAccelerated && TryComputeFast(logits, classes, scratch))
            scratch[..classes].CopyTo(probabilities);
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

    /// <summary>Computes with vectors; false where a result might be rounded in another way than by <see cref="ComputePlain"/>, which is rare.</summary>
    private static bool TryComputeFast(Span<float> logits, int classes, Span<float> results)
    {
        var padded = (classes + Lanes - 1) / Lanes * Lanes;
        logits[classes..padded].Fill(float.MinValue);
        var (largest, sum) = Sum(logits[..padded]);
        // The term of the maximum itself is 1.
        var logSum = largest + Math.Log(sum);
        var error = RelativeError + (classes * 1e-15);
        return float.IsFinite(largest) && (float)(logSum - error) == (float)(logSum + error)
            && TryExponentials(logits[..padded], (float)logSum, results[..padded]);
    }

    private static (float Largest, double Sum) Sum(ReadOnlySpan<float> logits)
    {
        ref var z = ref MemoryMarshal.GetReference(logits);
        var most = Vector512.LoadUnsafe(ref z);
        for (nuint i = Lanes; i < (nuint)logits.Length; i += Lanes)
            most = Vector512.Max(most, Vector512.LoadUnsafe(ref z, i));
        var largest = Largest(most);
        var sums = Vector512<double>.Zero;
        var (top, cutoff, negligible) = (Vector512.Create(largest), Vector512.Create(largest - Tolerance), Vector512.Create(Negligible));
        for (nuint i = 0; i < (nuint)logits.Length; i += Lanes)
        {
            var value = Vector512.LoadUnsafe(ref z, i);
            var (lower, upper) = Vector512.Widen(Vector512.ConditionalSelect(Vector512.GreaterThan(value, cutoff), value - top, negligible));
            sums += Vector512.Exp(lower) + Vector512.Exp(upper);
        }

        return (largest, Vector512.Sum(sums));
    }

    private static bool TryExponentials(ReadOnlySpan<float> logits, float logSum, Span<float> results)
    {
        ref var z = ref MemoryMarshal.GetReference(logits);
        ref var result = ref MemoryMarshal.GetReference(results);
        var (subtracted, negligible, same) = (Vector512.Create(logSum), Vector512.Create(Negligible), Vector512<float>.AllBitsSet);
        for (nuint i = 0; i < (nuint)logits.Length; i += Lanes)
        {
            var (lower, upper) = Vector512.Widen(Vector512.Max(Vector512.LoadUnsafe(ref z, i) - subtracted, negligible));
            (lower, upper) = (Vector512.Exp(lower), Vector512.Exp(upper));
            var below = Vector512.Narrow(lower * (1 - RelativeError), upper * (1 - RelativeError));
            same &= Vector512.Equals(below, Vector512.Narrow(lower * (1 + RelativeError), upper * (1 + RelativeError)));
            below.StoreUnsafe(ref result, i);
        }

        return Vector512.EqualsAll(same.AsInt32(), Vector512<int>.AllBitsSet);
    }

    /// <summary>The largest lane; NaN where one is.</summary>
    private static float Largest(Vector512<float> values)
    {
        var eight = Vector256.Max(values.GetLower(), values.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(four[0], four[1]);
    }
}
