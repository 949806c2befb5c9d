using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;
using Tensorboard;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// An event file in TensorBoard's format. A record is a length (64 bits), its checksum, the event as a protocol buffer, and the event's checksum; integers are
/// little-endian. TorchSharp's own writer reopens the file for each event, and writes times in whole seconds.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private const int HeaderBytes = sizeof(ulong) + sizeof(uint);
    private static int _files;
    private readonly AppendOnlyFile _file;

    public EventFile(string folder)
    {
        var seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"events.out.tfevents.{seconds}.{Environment.MachineName}.{Environment.ProcessId}.{Interlocked.Increment(ref _files)}");
        var path = Path.Combine(folder, name);
        _file = new AppendOnlyFile(path, FileMode.CreateNew);
        try
        {
            Append([new Event { FileVersion = "brain.Event:2", WallTime = Now() }]);
        }
        catch
        {
            _file.Dispose();
            // TensorBoard would report an empty file as damaged.
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Adds the values of a step: all of them or none.</summary>
    public void Append(long step, IEnumerable<Summary.Types.Value> values)
    {
        var now = Now();
        Append(values.Select(value => new Event { Step = step, WallTime = now, Summary = new Summary { Value = { value } } }));
    }

    public void Dispose() => _file.Dispose();

    private static double Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

    private void Append(IEnumerable<Event> events) => _file.Append([.. events.SelectMany(Record)]);

    private static byte[] Record(Event entry)
    {
        var data = entry.ToByteArray();
        var record = new byte[HeaderBytes + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), Checksum(record.AsSpan(0, sizeof(ulong))));
        data.CopyTo(record, HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(HeaderBytes + data.Length), Checksum(data));
        return record;
    }

    /// <summary>CRC-32C, masked as TensorFlow's record format requires, because a CRC of data that contains CRCs is weak.</summary>
    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }
}
