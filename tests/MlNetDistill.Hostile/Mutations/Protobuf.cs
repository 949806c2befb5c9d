namespace MlNetDistill.Hostile.Mutations;

/// <summary>Protocol buffers without knowledge of what their fields mean: what reads as a message is taken for one.</summary>
internal static class Protobuf
{
    public static List<ProtobufField>? Read(ReadOnlySpan<byte> bytes)
    {
        var fields = new List<ProtobufField>();
        while (bytes.Length > 0)
        {
            if (Varint(ref bytes) is not { } tag || tag >> 3 is 0 or > 64)
                return null;
            var (number, type) = ((int)(tag >> 3), (int)(tag & 7));
            if (type == 0 && Varint(ref bytes) is { } value)
            {
                fields.Add(new ProtobufField(number, type) { Value = value });
            }
            else if (type is 1 or 5 or 2)
            {
                var length = type == 1 ? 8 : type == 5 ? 4 : Varint(ref bytes) ?? ulong.MaxValue;
                if (length > (ulong)bytes.Length)
                    return null;
                var content = bytes[..(int)length];
                var message = type == 2 && length is > 1 and < 1 << 20 ? Read(content) : null;
                // A text may happen to read as a message; it is one if it is written the same.
                var isMessage = message is not null && content.SequenceEqual(Write(message));
                fields.Add(new ProtobufField(number, type) { Bytes = isMessage ? null : content.ToArray(), Message = isMessage ? message : null });
                bytes = bytes[(int)length..];
            }
            else
            {
                return null;
            }
        }

        return fields;
    }

    public static byte[] Write(IEnumerable<ProtobufField> fields)
    {
        using var stream = new MemoryStream();
        foreach (var field in fields)
        {
            Put(stream, ((ulong)(uint)field.Number << 3) | (uint)field.Type);
            var content = field.Message is { } message ? Write(message) : field.Bytes;
            if (content is null)
            {
                Put(stream, field.Value);
                continue;
            }

            if (field.Type == 2)
                Put(stream, (ulong)content.Length);
            stream.Write(content);
        }

        return stream.ToArray();
    }

    private static ulong? Varint(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0UL;
        for (var shift = 0; shift < 64 && bytes.Length > 0; shift += 7)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        return null;
    }

    private static void Put(Stream stream, ulong value)
    {
        for (; value > 0x7F; value >>= 7)
            stream.WriteByte((byte)(value | 0x80));
        stream.WriteByte((byte)value);
    }
}

/// <summary>A field: a number, bytes or a message.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Type">Its wire type.</param>
internal sealed record ProtobufField(int Number, int Type)
{
    public ulong Value { get; init; }

    public byte[]? Bytes { get; init; }

    public List<ProtobufField>? Message { get; init; }

    public IEnumerable<ProtobufField> All() => (Message ?? []).SelectMany(field => field.All()).Prepend(this);

    public ProtobufField Copy() => this with { Message = Message?.ConvertAll(field => field.Copy()) };

    public override string ToString() => Message is not null ? $"message {Number} of {Message.Count}"
        : Bytes is { Length: < 40 } text && !text.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~') ? $"text {Number} \"{System.Text.Encoding.ASCII.GetString(text)}\""
        : Bytes is { } bytes ? FormattableString.Invariant($"{bytes.Length} bytes {Number}")
        : FormattableString.Invariant($"number {Number} = {unchecked((long)Value)}");
}
