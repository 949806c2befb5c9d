namespace MlNetDistill.Core;

/// <summary>
/// Random numbers of one row, by number: draw 7 is the same whether or not draws 0 to 6 were made, and so is the row whatever other rows are drawn for. A hash of a
/// counter (the finalizer of splitmix64) takes the place of a generator with a state.
/// </summary>
internal readonly struct RowDraws
{
    private const ulong Golden = 0x9e3779b97f4a7c15UL;
    private readonly ulong _key;

    /// <param name="seed">The seed of the purpose, from <see cref="Seeds"/>.</param>
    /// <param name="row">The row.</param>
    /// <param name="copy">Which of the rows made from it.</param>
    public RowDraws(int seed, RowId row, long copy) =>
        _key = Mix(Mix(Mix(Mix((uint)seed) ^ row.Low) + (Golden ^ row.High)) ^ unchecked((ulong)copy * Golden));

    /// <summary>Draw <paramref name="index"/>, uniform in [0, 1).</summary>
    public double Uniform(long index) => (Bits(index) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Draws <paramref name="index"/> and the next, as one number of the standard normal distribution (Box and Muller 1958).</summary>
    public double Normal(long index) => Math.Sqrt(-2 * Math.Log(1 - Uniform(index))) * Math.Cos(2 * Math.PI * Uniform(index + 1));

    /// <summary>Draw <paramref name="index"/>, a whole number from 0 to <paramref name="below"/> - 1.</summary>
    public int Integer(long index, int below) => (int)(((UInt128)Bits(index) * (uint)below) >> 64);

    private ulong Bits(long index) => Mix(_key + (Golden * unchecked((ulong)index + 1)));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9UL;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebUL;
        return value ^ (value >> 31);
    }
}
