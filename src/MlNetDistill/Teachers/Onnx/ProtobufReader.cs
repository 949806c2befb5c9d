namespace MlNetDistill.Teachers;

/// <summary>Reads the fields of a protocol-buffer message in a seekable stream one by one, and skips values that are not requested.</summary>
/// <exception cref="InvalidDataException">Thrown by all members where the bytes are no such message.</exception>
/// <exception cref="EndOfStreamException">Thrown by all members where the message goes on beyond the end.</exception>
/// <exception cref="OperationCanceledException">Thrown while fields are read, if the cancellation token is cancelled.</exception>
internal sealed class ProtobufReader(Stream stream, CancellationToken cancellation)
{
    private const int Varint = 0, Fixed64 = 1, LengthDelimited = 2, Fixed32 = 5; // wire types

    /// <summary>The fields from the current position to <paramref name="end"/>: the number of each, and its value or where that lies in the stream.</summary>
    public IEnumerable<(int Field, ulong Number, long Start, long End)> Fields(long end)
    {
        while (stream.Position < end)
        {
            cancellation.ThrowIfCancellationRequested();
            var tag = ReadVarint();
            // The largest number that the format allows.
            if (tag >> 3 is 0 or > 0x1FFFFFFF)
                throw new InvalidDataException($"A field has the number {tag >> 3}.");
            var field = (int)(tag >> 3);
            switch ((int)(tag & 7))
            {
                case Varint:
                    yield return (field, ReadVarint(), 0, 0);
                    break;
                case Fixed64:
                    Skip(8, end);
                    break;
                case Fixed32:
                    Skip(4, end);
                    break;
                case LengthDelimited:
                    var length = ReadVarint();
                    var (start, last) = (stream.Position, length > long.MaxValue / 2 ? long.MaxValue : stream.Position + (long)length);
                    if (last > end)
                        throw new EndOfStreamException($"a field of {length} bytes begins {Math.Max(0, end - start)} bytes before the end");
                    yield return (field, length, start, last);
                    stream.Position = last;
                    break;
                default:
                    throw new InvalidDataException("A field has an unknown wire type.");
            }
        }
    }

    /// <summary>The fields of the message between two positions.</summary>
    public IEnumerable<(int Field, ulong Number, long Start, long End)> Fields(long start, long end)
    {
        stream.Position = start;
        return Fields(end);
    }

    public string Text(long start, long end)
    {
        if (end - start > 1 << 16)
            throw new InvalidDataException("A name has more than 65,536 bytes.");
        var bytes = new byte[end - start];
        stream.Position = start;
        stream.ReadExactly(bytes);
        return System.Text.Encoding.UTF8.GetString(bytes);
    }

    private void Skip(long bytes, long end)
    {
        if (stream.Position + bytes > end)
            throw new EndOfStreamException("a number begins within its own length of the end");
        stream.Position += bytes;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = stream.ReadByte();
            if (next < 0)
                throw new EndOfStreamException("it ends within a number");
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw new InvalidDataException("A number has more than 64 bits.");
    }
}
