using MlNetDistill.Data;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>
/// The largest agreement with a teacher that any student over the same features could have: rows that look alike to the student get one answer, at best the
/// teacher's most frequent one. Below 1 where the teacher sees more than the student, or where it was fitted in folds.
/// </summary>
internal static class AgreementCeiling
{
    /// <param name="set">The rows.</param>
    /// <param name="positions">Which of them.</param>
    /// <param name="logits">The teacher's, a row for each position.</param>
    public static double Compute(IRowSource set, Tensor positions, Tensor logits)
    {
        using var scope = NewDisposeScope();
        var answers = logits.argmax(1).cpu().data<long>().ToArray();
        var looks = RowHashes.ComputeForSet(set, positions).Zip(answers).ToArray();
        Array.Sort(looks);
        return MostFrequent(looks) / (double)answers.Length;
    }

    /// <summary>Over runs of one hash, the rows that have its most frequent answer.</summary>
    private static int MostFrequent((ulong Hash, long Class)[] sorted)
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
