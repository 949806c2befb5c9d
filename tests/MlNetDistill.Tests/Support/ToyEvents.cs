using System.Buffers.Binary;
using Tensorboard;

namespace MlNetDistill.Tests.Support;

/// <summary>Reads TensorBoard's event files: the framing and its checksums by hand, the events as protocol buffers.</summary>
internal static class ToyEvents
{
    // CRC-32C (Castagnoli), bits reversed.
    private const uint Polynomial = 0x82f63b78;
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(Entry)];

    /// <summary>The events of the only event file in a folder.</summary>
    public static IReadOnlyList<Event> In(string folder)
    {
        var bytes = File.ReadAllBytes(Directory.GetFiles(folder, "events.out.tfevents.*").Single());
        var events = new List<Event>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
            CheckSum(bytes.AsSpan(at, 8), bytes.AsSpan(at + 8, 4));
            var data = bytes.AsSpan(at + 12, length);
            CheckSum(data, bytes.AsSpan(at + 12 + length, 4));
            events.Add(Event.Parser.ParseFrom(data.ToArray()));
            at += 12 + length + 4;
        }

        return events;
    }

    /// <summary>The values of a scalar, step by step.</summary>
    public static (long Step, float Value)[] Scalar(this IEnumerable<Event> events, string tag) =>
        [.. events.SelectMany(e => e.Summary?.Value.Where(v => v.Tag == tag).Select(v => (e.Step, v.SimpleValue)) ?? [])];

    public static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = (crc >> 8) ^ Table[(crc ^ value) & 0xff];
        return crc ^ uint.MaxValue;
    }

    private static uint Entry(int index)
    {
        var crc = (uint)index;
        for (var bit = 0; bit < 8; bit++)
            crc = (crc & 1) == 1 ? (crc >> 1) ^ Polynomial : crc >> 1;
        return crc;
    }

    private static void CheckSum(ReadOnlySpan<byte> data, ReadOnlySpan<byte> stored)
    {
        var crc = Crc(data);
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(stored), Is.EqualTo(((crc >> 15) | (crc << 17)) + 0xa282ead8));
    }
}
