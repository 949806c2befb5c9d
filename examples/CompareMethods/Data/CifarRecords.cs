using Quickstart.Data;

namespace CompareMethods.Data;

/// <summary>Reads CIFAR-100's binary version: records of a coarse label, a fine label and 3·32·32 bytes, plane by plane: red, green, blue.</summary>
internal static class CifarRecords
{
    public const int Channels = 3;
    public const int Side = 32;

    private const int Pixels = Channels * Side * Side;
    private const int Record = 2 + Pixels;

    /// <summary>Whether a folder holds the two files.</summary>
    public static bool AreIn(string folder) => File.Exists(Path.Combine(folder, "train.bin")) && File.Exists(Path.Combine(folder, "test.bin"));

    /// <summary>The first rows of a part, "train" or "test", with their fine labels.</summary>
    public static Row<byte>[] Read(string folder, string part, int atMost)
    {
        var path = Path.Combine(folder, $"{part}.bin");
        var length = new FileInfo(path).Length;
        if (length == 0 || length % Record != 0)
            throw new UsageException($"'{path}' is not CIFAR-100's binary version: its {length:N0} bytes are not a multiple of {Record:N0}, the bytes of a record.");
        using var file = File.OpenRead(path);
        var rows = new Row<byte>[Math.Min(atMost, length / Record)];
        var record = new byte[Record];
        for (var i = 0; i < rows.Length; i++)
        {
            file.ReadExactly(record);
            rows[i] = new Row<byte> { Label = $"{record[1]}", Features = record[2..] };
        }

        return rows;
    }
}
