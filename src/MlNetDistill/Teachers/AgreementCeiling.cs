using System.Buffers.Binary;
using System.Security.Cryptography;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// The largest agreement with a teacher that any student over the same features could have: rows that look alike to the student get one answer, at best the
/// teacher's most frequent one. Below 1 where the teacher sees more than the student, or where it was fitted in folds.
/// </summary>
internal static class AgreementCeiling
{
    /// <param name="features">N×(shape of a row).</param>
    /// <param name="logits">The teacher's, N×K.</param>
    public static double Of(Tensor features, Tensor logits)
    {
        using var scope = NewDisposeScope();
        var answers = logits.argmax(1).cpu().data<long>().ToArray();
        var rows = features.reshape(features.shape[0], -1).cpu().contiguous();
        var width = (int)(rows.numel() / answers.Length * rows.ElementSize);
        var looks = new (UInt128 Hash, long Answer)[answers.Length];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        for (var i = 0; i < answers.Length; i++)
        {
            // A row at a time: a span cannot be longer than an array.
            using var row = rows[i];
            SHA256.HashData(row.bytes[..width], hash);
            looks[i] = (BinaryPrimitives.ReadUInt128LittleEndian(hash), answers[i]);
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
