namespace MlNetDistill;

/// <summary>CRC-32 as zip archives have it (ISO 3309; polynomial 0xEDB88320, bits reversed).</summary>
internal struct Crc32()
{
    private const int Slices = 8;

    // Row s holds the effect of a byte that s more bytes follow, so that eight bytes are taken at a time.
    private static readonly uint[][] Table = Tables();

    private uint _rest = uint.MaxValue;

    /// <summary>The checksum of all that was added.</summary>
    public readonly uint Value => ~_rest;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        var rest = _rest;
        for (; bytes.Length >= Slices; bytes = bytes[Slices..])
        {
            rest ^= (uint)(bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24));
            rest = Table[7][rest & 0xFF] ^ Table[6][(rest >> 8) & 0xFF] ^ Table[5][(rest >> 16) & 0xFF] ^ Table[4][rest >> 24]
                ^ Table[3][bytes[4]] ^ Table[2][bytes[5]] ^ Table[1][bytes[6]] ^ Table[0][bytes[7]];
        }

        foreach (var next in bytes)
            rest = Table[0][(rest ^ next) & 0xFF] ^ (rest >> 8);
        _rest = rest;
    }

    private static uint[][] Tables()
    {
        var tables = new uint[Slices][];
        tables[0] = [.. Enumerable.Range(0, 256).Select(one => Enumerable.Range(0, 8).Aggregate((uint)one, (rest, _) => (rest & 1) == 0 ? rest >> 1 : (rest >> 1) ^ 0xEDB88320))];
        for (var s = 1; s < Slices; s++)
            tables[s] = [.. tables[s - 1].Select(last => tables[0][last & 0xFF] ^ (last >> 8))];
        return tables;
    }
}
