using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MlNetDistill.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>
/// The k largest logits of each row and one number for the rest, the log-sum-exp r of the other K - k. Read back, each of those is r - log(K - k): together
/// they have the probability they had, so the probabilities of the k are exact at temperature 1. At other temperatures they are not, as the others are
/// flattened. Our choice: giving the others no probability at all would make the teacher surer than it is.
/// </summary>
internal static class TopLogits
{
    /// <summary>The classes of the k largest (16 or 32 bits without sign), by falling logit and the lower class first among equals; their logits; r.</summary>
    /// <param name="logits">n×K 32-bit floats, contiguous on the CPU, finite.</param>
    /// <param name="k">How many are kept, in [1, K).</param>
    /// <param name="classType">Int16 or Int32, to be read without sign.</param>
    public static (Tensor Classes, Tensor Values, Tensor Others) Select(Tensor logits, int k, ScalarType classType)
    {
        var (rows, width) = (logits.shape[0], (int)logits.shape[1]);
        var classes = empty(rows, k, classType, CPU);
        var values = empty(rows, k, ScalarType.Float32, CPU);
        var rest = empty(rows, 1, ScalarType.Float32, CPU);
        var source = MemoryMarshal.Cast<byte, float>(logits.bytes);
        var classOf = classes.bytes;
        var valueOf = MemoryMarshal.Cast<byte, float>(values.bytes);
        var restOf = MemoryMarshal.Cast<byte, float>(rest.bytes);
        var chosen = new ulong[k];
        for (var i = 0; i < rows; i++)
        {
            var row = source.Slice(i * width, width);
            SelectLargest(row, chosen);
            restOf[i] = LogSumExpOfOthers(row, row[ClassOf(chosen[^1])], ClassOf(chosen[^1]));
            for (var j = 0; j < k; j++)
            {
                var place = (i * k) + j;
                valueOf[place] = row[ClassOf(chosen[j])];
                if (classType == ScalarType.Int16)
                    BinaryPrimitives.WriteUInt16LittleEndian(classOf[(2 * place)..], (ushort)ClassOf(chosen[j]));
                else
                    BinaryPrimitives.WriteInt32LittleEndian(classOf[(4 * place)..], ClassOf(chosen[j]));
            }
        }

        return (classes, values, rest);
    }

    /// <summary>n×K logits from what <see cref="Select"/> gave.</summary>
    public static Tensor Expand(Tensor classes, Tensor values, Tensor rest, int width)
    {
        var indices = classes.to(ScalarType.Int64);
        if (classes.dtype == ScalarType.Int16)
        {
            using var range = 65536L.ToScalar();
            indices = indices.remainder(range);
        }

        return rest.Add(-Math.Log(width - values.shape[1])).expand(values.shape[0], width).scatter(1, indices, values);
    }

    /// <summary>Whether all class numbers in a file are below the number of classes.</summary>
    public static bool AreClasses(ReadOnlySpan<byte> stored, ScalarType classType, int width) => classType == ScalarType.Int16
        ? !MemoryMarshal.Cast<byte, ushort>(stored).ContainsAnyExceptInRange((ushort)0, (ushort)(width - 1))
        : !MemoryMarshal.Cast<byte, uint>(stored).ContainsAnyExceptInRange(0u, (uint)(width - 1));

    // A heap with the least of the chosen on top; what comes later and is only as large is of a higher class and stays out.
    private static void SelectLargest(ReadOnlySpan<float> row, Span<ulong> heap)
    {
        for (var j = 0; j < heap.Length; j++)
            heap[j] = Rank(row[j], j);
        for (var j = (heap.Length / 2) - 1; j >= 0; j--)
            SiftDown(heap, j);
        var least = row[ClassOf(heap[0])];
        for (var j = heap.Length; j < row.Length; j++)
        {
            if (!(row[j] > least))
                continue;
            heap[0] = Rank(row[j], j);
            SiftDown(heap, 0);
            least = row[ClassOf(heap[0])];
        }

        heap.Sort();
        heap.Reverse();
    }

    private static void SiftDown(Span<ulong> heap, int at)
    {
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= heap.Length)
                return;
            if (child + 1 < heap.Length && heap[child + 1] < heap[child])
                child++;
            if (heap[at] <= heap[child])
                return;
            (heap[at], heap[child]) = (heap[child], heap[at]);
            at = child;
        }
    }

    // A number that grows with the logit and, among equals, falls with the class. The bits of floats are in order within each sign; adding 0 makes -0 a 0.
    private static ulong Rank(float logit, int classIndex)
    {
        var bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        bits ^= (bits & 0x8000_0000) == 0 ? 0x8000_0000 : 0xFFFF_FFFF;
        return ((ulong)bits << 32) | ~(uint)classIndex;
    }

    private static int ClassOf(ulong rank) => (int)~(uint)rank;

    // Of equals the lower classes were chosen, so the last one chosen parts the row in two.
    private static float LogSumExpOfOthers(ReadOnlySpan<float> row, float least, int last)
    {
        var largest = float.NegativeInfinity;
        for (var j = 0; j < row.Length; j++)
        {
            if (IsOther(row[j], j))
                largest = Math.Max(largest, row[j]);
        }

        var sum = 0.0;
        for (var j = 0; j < row.Length; j++)
        {
            if (IsOther(row[j], j))
                sum += Math.Exp((double)row[j] - largest);
        }

        return (float)(largest + Math.Log(sum));

        bool IsOther(float value, int j) => value < least || (value == least && j > last);
    }
}
