namespace MlNetDistill.Evaluation;

/// <summary>
/// How often each replicate of a Poisson bootstrap contains a row: numbers of the Poisson distribution with mean 1 that depend only on the seed and the row's id
/// (Chamandy et al. 2012). So rows may come in any order and in any number of parts, and two students evaluated on the same rows have the same replicates.
/// </summary>
internal sealed class BootstrapWeights(int seed)
{
    private const ulong Golden = 0x9e3779b97f4a7c15;
    private const int Bits = 16;
    private static readonly byte[] Poisson = MakePoisson();
    private readonly ulong _seed = Mix((uint)seed + Golden);

    /// <summary>The hash of a row from which its weights are generated.</summary>
    public ulong Hash(UInt128 rowId) => Mix(Mix(_seed ^ (ulong)rowId) ^ (ulong)(rowId >> 64));

    /// <summary>A row's weight in each column; 1 in the first, which is for the rows themselves.</summary>
    public static void Fill(ulong hash, Span<double> weights)
    {
        weights[0] = 1;
        var bits = 0UL;
        for (var i = 1; i < weights.Length; i++)
        {
            // Four numbers of 16 bits from each step of splitmix64; 16 bits miss the distribution's mean and variance by less than 0.0001.
            bits = i % 4 == 1 ? Mix(hash += Golden) : bits >> Bits;
            weights[i] = Poisson[(ushort)bits];
        }
    }

    // The finaliser of splitmix64 (Steele et al. 2014).
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    /// <summary>The distribution's quantile at the middle of each of 2^16 equal parts.</summary>
    private static byte[] MakePoisson()
    {
        var table = new byte[1 << Bits];
        var (k, probability) = ((byte)0, Math.Exp(-1));
        var below = probability;
        for (var i = 0; i < table.Length; i++)
        {
            while ((i + 0.5) / table.Length > below)
                below += probability /= ++k;
            table[i] = k;
        }

        return table;
    }
}
