using System.Text;
using TorchSharp;

namespace MlNetDistill.Networks;

/// <summary>
/// Loads weights that TorchSharp saved. TorchSharp itself trusts their lengths. Numbers have 7 bits in a byte, the low ones first, and in every byte but the last the eighth is set:
/// <code>
/// number of tensors
/// for each: length of its name in bytes, its name in UTF-8, its type (torch.ScalarType), number of its dimensions, each dimension, its values
/// </code>
/// </summary>
internal static class SavedWeights
{
    /// <summary>Loads weights into the network that they were saved from, or one like it.</summary>
    /// <exception cref="InvalidDataException">They are of another network, or damaged; the message is the end of a sentence about them. The network is not changed.</exception>
    public static void Load(Network network, byte[] weights)
    {
        Check(network, weights);
        using var stream = new MemoryStream(weights);
        network.load(stream);
    }

    private static void Check(Network network, ReadOnlySpan<byte> rest)
    {
        var missing = network.state_dict();
        var count = ReadNumber(ref rest);
        if (count != missing.Count)
            throw new InvalidDataException(FormattableString.Invariant($"there are {count} tensors, and the network has {missing.Count}"));
        while (missing.Count > 0)
        {
            var name = ReadName(ref rest);
            if (!missing.Remove(name, out var own))
                throw new InvalidDataException($"there is a tensor '{name}', which the network does not have, or it is there twice");
            CheckTensor(name, own, ref rest);
        }

        if (rest.Length > 0)
            throw new InvalidDataException(FormattableString.Invariant($"there are {rest.Length} bytes after the last tensor"));
    }

    private static void CheckTensor(string name, torch.Tensor own, ref ReadOnlySpan<byte> rest)
    {
        var type = ReadNumber(ref rest);
        var shape = own.shape;
        var isSame = type == (int)own.dtype && ReadNumber(ref rest) == shape.Length;
        for (var axis = 0; isSame && axis < shape.Length; axis++)
            isSame = ReadNumber(ref rest) == shape[axis];
        if (!isSame)
            throw new InvalidDataException($"the tensor '{name}' is not {own.dtype} [{string.Join(", ", shape)}], as that of the network is");
        var bytes = own.numel() * own.ElementSize;
        if (bytes > rest.Length)
            throw new InvalidDataException($"they end within the tensor '{name}'");
        rest = rest[(int)bytes..];
    }

    private static string ReadName(ref ReadOnlySpan<byte> rest)
    {
        var length = ReadNumber(ref rest);
        if (length > rest.Length)
            throw new InvalidDataException("they end within the name of a tensor");
        var name = Encoding.UTF8.GetString(rest[..(int)length]);
        rest = rest[(int)length..];
        return name;
    }

    private static long ReadNumber(ref ReadOnlySpan<byte> rest)
    {
        var value = 0L;
        for (var shift = 0; shift < 63 && rest.Length > 0; shift += 7)
        {
            var part = rest[0];
            rest = rest[1..];
            value |= (long)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw new InvalidDataException(rest.Length == 0 ? "they end within a number" : "a number has more than 63 bits");
    }
}
