using MlNetDistill.Data;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>
/// The largest agreement with a teacher that any student with the same features can have: rows with equal features get one prediction, at best the teacher's most
/// frequent one. It is below 1 if the teacher reads other columns than the student, or was fitted in folds.
/// </summary>
internal static class AgreementCeiling
{
    /// <summary>Computes it from the teacher's logits for the rows at some positions.</summary>
    public static double Compute(IRowSource set, Tensor positions, Tensor logits)
    {
        using var scope = NewDisposeScope();
        var rows = RowHashes.ComputeForSet(set, positions).Zip(logits.argmax(1).cpu().data<long>().ToArray()).ToArray();
        Array.Sort(rows);
        return CountMostFrequent(rows) / (double)rows.Length;
    }

    /// <summary>The number of rows that have the most frequent class among the rows of the same hash.</summary>
    private static int CountMostFrequent((ulong Hash, long Class)[] sorted)
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
