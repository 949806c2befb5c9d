namespace MlNetDistill.Hostile.Mutations;

/// <summary>Changes of fields of a protocol buffer, whose lengths are right again when it is written: other operators, attributes, shapes, types and names.</summary>
internal static class ProtobufChanges
{
    private static readonly string[] Operators =
    [
        "Loop", "If", "Scan", "Conv", "ConvTranspose", "MaxPool", "Resize", "Gather", "TopK", "Reshape", "Expand", "Tile", "Pad", "Slice", "Split", "OneHot", "NonZero", "LSTM", "Einsum",
        "ConstantOfShape", "Range", "Cast", "Softmax", "Transpose", "Concat", "SequenceAt", "DequantizeLinear", "TreeEnsembleClassifier", "",
    ];

    private static readonly long[] Numbers = [0, 1, 2, 3, 7, 11, 16, -1, -2, 255, 1000, int.MaxValue, int.MinValue, 1L << 40, long.MaxValue, long.MinValue];

    /// <summary>Changes one field of a message.</summary>
    /// <returns>What was done, in words.</returns>
    public static string Apply(List<ProtobufField> message, Random random)
    {
        var all = message.SelectMany(field => field.All()).ToList();
        return all.Count == 0 ? "" : Change(message, all[random.Next(all.Count)], all, random);
    }

    private static string Change(List<ProtobufField> message, ProtobufField field, List<ProtobufField> all, Random random)
    {
        var siblings = all.Select(f => f.Message).OfType<List<ProtobufField>>().FirstOrDefault(m => m.Contains(field)) ?? message;
        switch (random.Next(6))
        {
            case 0:
                siblings.Remove(field);
                return $"without {field}; ";
            case 1:
                var times = random.Next(3) == 0 ? 1000 : 1;
                siblings.AddRange(Enumerable.Range(0, times).Select(_ => field.Copy()));
                return $"{field} {times} times more; ";
            case 2:
                var other = all[random.Next(all.Count)].Copy();
                siblings[siblings.IndexOf(field)] = other with { Number = field.Number };
                return $"{field} as {other}; ";
            case 3:
                siblings.Remove(field);
                siblings.Insert(random.Next(siblings.Count + 1), field with { Number = random.Next(1, 32) });
                return $"{field} under another number; ";
            default:
                var changed = Changed(field, all, random);
                siblings[siblings.IndexOf(field)] = changed;
                return $"{field} to {changed}; ";
        }
    }

    private static ProtobufField Changed(ProtobufField field, List<ProtobufField> all, Random random)
    {
        if (field.Message is { } inner)
            return field with { Message = [.. inner.OrderBy(_ => random.Next())] };
        if (field.Bytes is not { Length: > 0 } bytes)
            return field with { Value = unchecked((ulong)(Numbers[random.Next(Numbers.Length)] + (random.Next(3) == 0 ? (long)field.Value : 0))) };
        var texts = all.Where(f => f.Bytes is { Length: > 0 and < 64 }).ToList();
        return field with
        {
            Bytes = random.Next(3) switch
            {
                0 => Damages.Of(bytes, random).Bytes,
                1 => System.Text.Encoding.UTF8.GetBytes(Operators[random.Next(Operators.Length)]),
                _ => texts[random.Next(texts.Count)].Bytes,
            },
        };
    }
}
