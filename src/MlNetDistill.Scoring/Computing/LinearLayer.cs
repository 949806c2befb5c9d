using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MlNetDistill.Computing;

/// <summary>
/// A linear layer whose results are those of ML.NET's linear models bit for bit: for each output the bias plus <c>TensorPrimitives.Dot</c> of weights and inputs.
/// </summary>
internal sealed class LinearLayer
{
    /// <summary>Rows of results are padded to whole vectors of this many numbers.</summary>
    public const int Lanes = 16;

    private const int OutputsTogether = 4;
    private const int TrialRows = 8;
    private readonly float[] _weights;
    private readonly float[] _biases;
    private readonly bool _isFast;

    /// <param name="weights">For each output a row of weights.</param>
    /// <param name="biases">A bias for each output.</param>
    public LinearLayer(float[][] weights, float[] biases)
    {
        (Inputs, Outputs) = (weights[0].Length, biases.Length);
        Stride = StrideOf(Outputs);
        _weights = new float[RoundUp(Outputs, OutputsTogether) * Inputs];
        _biases = new float[RoundUp(Outputs, OutputsTogether)];
        biases.CopyTo(_biases, 0);
        foreach (var (output, row) in weights.Index())
            row.CopyTo(_weights, output * Inputs);
        // TensorPrimitives adds in an order of its own, which another version may change: then its own, slower dot products are used.
        _isFast = Avx512F.IsSupported && Vector512.IsHardwareAccelerated && Inputs % Lanes == 0 && IsFastTheSame();
    }

    /// <summary>Length of a row of inputs.</summary>
    public int Inputs { get; }

    /// <summary>Number of outputs.</summary>
    public int Outputs { get; }

    /// <summary>Distance of two rows of results.</summary>
    public int Stride { get; }

    /// <summary>Distance of two rows of so many results.</summary>
    public static int StrideOf(int outputs) => RoundUp(outputs, Lanes);

    /// <summary>Computes the outputs of some rows; what lies between the rows of results is left undefined.</summary>
    public void Compute(ReadOnlySpan<float> inputs, int rows, Span<float> results)
    {
        if (_isFast)
            ComputeFast(inputs, rows, results);
        else
            ComputePlain(inputs, rows, results);
    }

    private static int RoundUp(int count, int multiple) => (count + multiple - 1) / multiple * multiple;

    private bool IsFastTheSame()
    {
        var random = new Random(1);
        var inputs = new float[TrialRows * Inputs];
        foreach (ref var value in inputs.AsSpan())
            value = (random.NextSingle() - 0.5f) * (1 << random.Next(8));
        var (fast, plain) = (new float[TrialRows * Stride], new float[TrialRows * Stride]);
        ComputeFast(inputs, TrialRows, fast);
        ComputePlain(inputs, TrialRows, plain);
        for (var row = 0; row < TrialRows; row++)
        {
            if (!MemoryMarshal.AsBytes(fast.AsSpan(row * Stride, Outputs)).SequenceEqual(MemoryMarshal.AsBytes(plain.AsSpan(row * Stride, Outputs))))
                return false;
        }

        return true;
    }

    private void ComputePlain(ReadOnlySpan<float> inputs, int rows, Span<float> results)
    {
        for (var row = 0; row < rows; row++)
        {
            var input = inputs.Slice(row * Inputs, Inputs);
            for (var output = 0; output < Outputs; output++)
                results[(row * Stride) + output] = _biases[output] + TensorPrimitives.Dot(_weights.AsSpan(output * Inputs, Inputs), input);
        }
    }

    /// <summary>Two rows and four outputs at a time, so that each number is loaded less often; each lane adds in the order of TensorPrimitives.</summary>
    private void ComputeFast(ReadOnlySpan<float> inputs, int rows, Span<float> results)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs.Length, rows * Inputs);
        ArgumentOutOfRangeException.ThrowIfLessThan(results.Length, rows * Stride);
        for (var row = 0; row < rows; row += 2)
        {
            // The last row of an odd number is computed twice.
            var other = Math.Min(row + 1, rows - 1);
            ref var first = ref Unsafe.Add(ref MemoryMarshal.GetReference(inputs), row * Inputs);
            ref var second = ref Unsafe.Add(ref MemoryMarshal.GetReference(inputs), other * Inputs);
            for (var output = 0; output < Outputs; output += OutputsTogether)
            {
                var (sums, otherSums) = Dot(ref first, ref second, ref _weights[output * Inputs], (nuint)Inputs);
                var biases = Vector128.LoadUnsafe(ref _biases[output]);
                (biases + sums).StoreUnsafe(ref results[(row * Stride) + output]);
                (biases + otherSums).StoreUnsafe(ref results[(other * Stride) + output]);
            }
        }
    }

    private static (Vector128<float> First, Vector128<float> Second) Dot(ref float first, ref float second, ref float weights, nuint length)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        for (nuint i = 0; i < length; i += Lanes)
        {
            var (a, b) = (Vector512.LoadUnsafe(ref first, i), Vector512.LoadUnsafe(ref second, i));
            var w = Vector512.LoadUnsafe(ref weights, i);
            (a0, b0) = (a0 + (w * a), b0 + (w * b));
            w = Vector512.LoadUnsafe(ref weights, i + length);
            (a1, b1) = (a1 + (w * a), b1 + (w * b));
            w = Vector512.LoadUnsafe(ref weights, i + (2 * length));
            (a2, b2) = (a2 + (w * a), b2 + (w * b));
            w = Vector512.LoadUnsafe(ref weights, i + (3 * length));
            (a3, b3) = (a3 + (w * a), b3 + (w * b));
        }

        return (AddLanes(a0, a1, a2, a3), AddLanes(b0, b1, b2, b3));
    }

    /// <summary>The sum of the lanes of each vector: neighbours first, then neighbouring sums, and so on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> AddLanes(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var sums = AddNeighbours(AddNeighbours(a, b), AddNeighbours(c, d));
        var (lower, upper) = (sums.GetLower(), sums.GetUpper());
        return lower.GetLower() + lower.GetUpper() + (upper.GetLower() + upper.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddNeighbours(Vector512<float> a, Vector512<float> b) => Avx512F.Shuffle(a, b, 0b10_00_10_00) + Avx512F.Shuffle(a, b, 0b11_01_11_01);
}
