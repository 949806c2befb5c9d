namespace MlNetDistill.Fuzz.Mutating;

/// <summary>Changes of bytes, whatever their format.</summary>
internal static class ByteChanges
{
    /// <summary>Makes one change.</summary>
    /// <param name="bytes">What is changed; it is not written to.</param>
    /// <param name="others">Files of the same format, of which parts may be taken.</param>
    /// <param name="random">Chooses the change.</param>
    public static byte[] Apply(byte[] bytes, IReadOnlyList<byte[]> others, Random random)
    {
        if (bytes.Length == 0)
            return [(byte)random.Next(256)];
        return random.Next(6) switch
        {
            // The beginning has the lengths and the versions of most formats.
            0 => InBeginning(bytes, random),
            1 => Spliced(bytes, others[random.Next(others.Count)], random),
            2 => Inserted(bytes, random),
            _ => Damages.Of(bytes, random).Bytes,
        };
    }

    private static byte[] InBeginning(byte[] bytes, Random random)
    {
        var length = Math.Min(bytes.Length, 64);
        return [.. Damages.Of(bytes[..length], random).Bytes, .. bytes[length..]];
    }

    private static byte[] Spliced(byte[] bytes, byte[] other, Random random)
    {
        var (from, to) = (random.Next(bytes.Length), random.Next(other.Length + 1));
        return [.. bytes[..from], .. other[to..]];
    }

    private static byte[] Inserted(byte[] bytes, Random random)
    {
        var inserted = new byte[1 << random.Next(10)];
        if (random.Next(2) == 0)
            random.NextBytes(inserted);
        var at = random.Next(bytes.Length + 1);
        return [.. bytes[..at], .. inserted, .. bytes[at..]];
    }
}
