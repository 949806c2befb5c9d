using System.Buffers.Binary;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>Ways in which a file is damaged, whatever its format.</summary>
internal static class Damages
{
    public static string One(string file, Random random)
    {
        var bytes = File.ReadAllBytes(file);
        var (what, damaged) = Of(bytes, random);
        File.WriteAllBytes(file, damaged);
        return $"{Path.GetFileName(file)}: {what}";
    }

    public static (string What, byte[] Bytes) Of(byte[] bytes, Random random)
    {
        var copy = (byte[])bytes.Clone();
        var at = random.Next(bytes.Length);
        var length = 1 + random.Next(Math.Min(bytes.Length - at, 1 << random.Next(1, 9)));
        switch (random.Next(10))
        {
            case 0 or 1:
                copy[at] ^= (byte)(1 << random.Next(8));
                return ($"a bit at {at}", copy);
            case 2:
                for (var i = 0; i < 8; i++)
                    copy[random.Next(copy.Length)] = (byte)random.Next(256);
                return ("8 bytes", copy);
            case 3:
                return ($"cut to {at} bytes", copy[..at]);
            case 4:
                copy.AsSpan(at, length).Clear();
                return ($"{length} zeros at {at}", copy);
            case 5:
                return ($"{length} bytes left out at {at}", [.. copy[..at], .. copy[(at + length)..]]);
            case 6:
                return ($"{length} bytes twice at {at}", [.. copy[..(at + length)], .. copy[at..]]);
            case 7:
                return ($"{length} bytes appended", [.. copy, .. copy[at..(at + length)]]);
            case 8:
                var other = random.Next(bytes.Length - length + 1);
                bytes.AsSpan(at, length).CopyTo(copy.AsSpan(other));
                bytes.AsSpan(other, length).CopyTo(copy.AsSpan(at));
                return ($"{length} bytes at {at} and {other} swapped", copy);
            default:
                return (Number(copy, at, random), copy);
        }
    }

    // What a length, an offset or a count may be at worst.
    private static string Number(byte[] copy, int at, Random random)
    {
        long[] numbers = [0, 1, -1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, copy.Length, copy.Length + 1];
        var number = numbers[random.Next(numbers.Length)];
        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(eight, number);
        var size = Math.Min(1 << random.Next(4), copy.Length - at);
        eight[..size].CopyTo(copy.AsSpan(at));
        return $"{number} in {size} bytes at {at}";
    }
}
