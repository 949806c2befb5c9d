using MlNetDistill.Fuzz.Readers;

namespace MlNetDistill.Fuzz.Mutating;

/// <summary>Makes the inputs of a reader: a seed, changed a few times, and mostly with checksums that are right again.</summary>
internal sealed class Inputs(Reader reader, int seed)
{
    private const int MostChanges = 5;

    /// <summary>The input of that number, which depends on nothing but the reader, the seed and the number.</summary>
    public byte[] Create(int number)
    {
        var random = new Random(SeedOf(number));
        var bytes = reader.Seeds[random.Next(reader.Seeds.Count)];
        var changes = 1;
        while (changes < MostChanges && random.Next(2) == 0)
            changes++;
        for (; changes > 0; changes--)
            bytes = random.Next(2) == 0 ? reader.Change(bytes, random) : ByteChanges.Apply(bytes, reader.Seeds, random);
        return random.Next(4) == 0 ? bytes : reader.Repair(bytes);
    }

    // FNV-1a: string.GetHashCode differs from process to process.
    private int SeedOf(int number)
    {
        var hash = 2166136261u;
        foreach (var part in FormattableString.Invariant($"{reader.Name} {seed} {number}"))
            hash = (hash ^ part) * 16777619u;
        return (int)(hash & int.MaxValue);
    }
}
