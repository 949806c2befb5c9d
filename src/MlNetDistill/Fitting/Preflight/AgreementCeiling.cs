using System.Buffers.Binary;
using System.Security.Cryptography;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>
/// The largest agreement with a teacher that any student over the same features could have: rows that look alike to the student get one answer, at best the
/// teacher's most frequent one. Below 1 where the teacher sees more than the student, or where it was fitted in folds.
/// </summary>
internal static class AgreementCeiling
{
    private const int RowsAtATime = 1024;

    /// <param name="set">The rows.</param>
    /// <param name="positions">Which of them.</param>
    /// <param name="logits">The teacher's, a row for each position.</param>
    public static double Of(IRowSource set, Tensor positions, Tensor logits)
    {
        using var scope = NewDisposeScope();
        var answers = logits.argmax(1).cpu().data<long>().ToArray();
        var looks = new (UInt128 Hash, long Answer)[answers.Length];
        var at = 0;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        foreach (var chunk in Chunks.Split(positions, RowsAtATime))
        {
            using var inner = NewDisposeScope();
            var rows = set.Gather(chunk, CPU).contiguous().bytes;
            var width = rows.Length / (int)chunk.shape[0];
            for (var from = 0; from < rows.Length; from += width, at++)
            {
                SHA256.HashData(rows.Slice(from, width), hash);
                looks[at] = (BinaryPrimitives.ReadUInt128LittleEndian(hash), answers[at]);
            }
        }

        Array.Sort(looks);
        return MostFrequent(looks) / (double)answers.Length;
    }

    /// <summary>Over runs of one hash, the rows that have its most frequent answer.</summary>
    private static int MostFrequent((UInt128 Hash, long Answer)[] sorted)
    {
        var (total, best, same) = (0, 0, 0);
        for (var i = 0; i < sorted.Length; i++)
        {
            same = i > 0 && sorted[i] == sorted[i - 1] ? same + 1 : 1;
            if (i > 0 && sorted[i].Hash != sorted[i - 1].Hash)
                (total, best) = (total + best, 0);
            best = Math.Max(best, same);
        }

        return total + best;
    }
}
