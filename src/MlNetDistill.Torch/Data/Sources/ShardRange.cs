using static System.FormattableString;

namespace MlNetDistill.Data;

/// <summary>The shards that a source of rows can be divided into.</summary>
internal static class ShardRange
{
    /// <exception cref="ArgumentOutOfRangeException">There is no such shard.</exception>
    public static void Check(int rank, int shards, long rows)
    {
        if (shards < 1 || shards > rows)
            throw new ArgumentOutOfRangeException(nameof(shards), Invariant($"The number of shards must be from 1 to the number of rows, {rows}; was {shards}."));
        if (rank < 0 || rank >= shards)
            throw new ArgumentOutOfRangeException(nameof(rank), Invariant($"The rank of a shard must be from 0 to {shards - 1}; was {rank}."));
    }
}
