using System.Buffers.Binary;
using System.IO.Compression;

namespace Quickstart.Data;

/// <summary>
/// Reads images in the IDX format of MNIST and Fashion-MNIST: a magic number that ends in the number of dimensions, the dimensions as
/// big-endian integers, then one byte for each value.
/// </summary>
internal static class IdxImages
{
    /// <summary>The first rows of a part, "train" or "t10k", and the size of an image.</summary>
    public static (Row<byte>[] Rows, int Height, int Width) Read(string folder, string part, int atMost)
    {
        var (pixels, shape) = ReadFile(folder, $"{part}-images-idx3-ubyte", dimensions: 3);
        var (labels, count) = ReadFile(folder, $"{part}-labels-idx1-ubyte", dimensions: 1);
        if (shape[0] != count[0])
            throw new UsageException($"The {part} files in '{folder}' do not belong together: {shape[0]} images, {count[0]} labels.");
        var length = shape[1] * shape[2];
        var rows = labels.Take(atMost).Select((label, i) => new Row<byte> { Label = $"{label}", Features = pixels[(i * length)..((i + 1) * length)] });
        return ([.. rows], shape[1], shape[2]);
    }

    private static (byte[] Values, int[] Shape) ReadFile(string folder, string name, int dimensions)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
            path += ".gz";
        if (!File.Exists(path))
            throw new UsageException($"--data must name a folder with the four IDX files of MNIST or Fashion-MNIST; '{folder}' has neither {name} nor {name}.gz.");
        try
        {
            using var file = File.OpenRead(path);
            using Stream stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
            const int UnsignedBytes = 0x0800;
            if (ReadInteger(stream) != UnsignedBytes + dimensions)
                throw new UsageException($"'{path}' is not an IDX file of bytes in {dimensions} dimensions.");
            int[] shape = [.. Enumerable.Range(0, dimensions).Select(_ => ReadInteger(stream))];
            var values = new byte[shape.Aggregate(1, (a, b) => checked(a * b))];
            stream.ReadExactly(values);
            return (values, shape);
        }
        catch (Exception fault) when (fault is EndOfStreamException or InvalidDataException or OverflowException)
        {
            throw new UsageException($"'{path}' is damaged or truncated: {fault.Message}");
        }
    }

    private static int ReadInteger(Stream stream)
    {
        Span<byte> bytes = stackalloc byte[4];
        stream.ReadExactly(bytes);
        return BinaryPrimitives.ReadInt32BigEndian(bytes);
    }
}
