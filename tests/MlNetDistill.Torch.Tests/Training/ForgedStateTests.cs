using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Files of a training state whose hashes are right, and which this library did not write.</summary>
public sealed class ForgedStateTests
{
    private const string Beginning = "The file of a training state cannot be read: ";

    [Test]
    public void A_file_of_named_tensors_is_read()
    {
        using var state = Load(Forge("{}", [1, 2, 3], new Forged("a", "U8", [2], 0, 2), new Forged("b", "U8", [1, 1], 2, 3)));
        Assert.That(state.Tensors().Keys, Is.EquivalentTo(new[] { "a", "b" }));
        Assert.That(state.Tensors()["a"].data<byte>().ToArray(), Is.EqualTo(new byte[] { 1, 2 }));
    }

    // With wrapping differences every entry seems to have as many bytes as its shape.
    [Test]
    public void Offsets_that_wrap_around_are_refused() => Refused(
        "the tensor 'b' has the bytes 5 to -9223372036854775808 of 5",
        Forge(
            "{}", [1, 2, 3, 4, 5], new Forged("a", "U8", [5], 0, 5), new Forged("b", "U8", [long.MaxValue - 4], 5, long.MinValue),
            new Forged("c", "U8", [long.MaxValue], long.MinValue, -1), new Forged("d", "U8", [6], -1, 5)));

    [Test]
    public void A_shape_without_elements_whose_product_is_too_large_is_refused() =>
        Refused("the tensor 'a' has the impossible shape [9223372036854775807, 9223372036854775807, 0]", Forge("{}", [], new Forged("a", "F32", [long.MaxValue, long.MaxValue, 0], 0, 0)));

    [Test]
    public void A_shape_of_many_dimensions_is_refused_without_writing_them_all_into_the_message() =>
        Refused("the tensor 'a' has 2000 dimensions, and may have 16", Forge("{}", [1], new Forged("a", "U8", [.. Enumerable.Repeat(1L, 2000)], 0, 1)));

    [TestCase("""{"history":[null]}""")]
    [TestCase("""{"decisions":[null]}""")]
    [TestCase("""{"warnings":[null]}""")]
    [TestCase("""{"history":null}""")]
    [TestCase("""{"more":1}""")]
    [TestCase("null")]
    public void Counters_that_this_version_does_not_write_are_refused_and_leave_no_tensor(string text)
    {
        var before = Tensor.TotalCount;
        Refused("its counters are of another version: ", Forge(text, [1], new Forged("a", "U8", [1], 0, 1)));
        Assert.That(Tensor.TotalCount, Is.EqualTo(before));
    }

    [Test]
    public void A_later_version_is_refused_with_both_numbers() =>
        Refused("it is of version '2', and this library reads version 1", Forge("{}", [], version: "2"));

    private static void Refused(string fault, byte[] file) =>
        Assert.That(() => Load(file), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith(Beginning + fault));

    private static TrainingState Load(byte[] file) => TrainingState.Load(new MemoryStream(file));

    private static byte[] Forge(string text, byte[] values, params Forged[] tensors) => Forge(text, values, "1", tensors);

    private static byte[] Forge(string text, byte[] values, string version, params Forged[] tensors)
    {
        var metadata = new Dictionary<string, string> { ["version"] = version, ["state"] = text };
        var all = new StringBuilder($"{version}\0{text}");
        foreach (var tensor in tensors)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(tensor is { Begin: >= 0, End: >= 0 } ? values.AsSpan((int)tensor.Begin, (int)(tensor.End - tensor.Begin)) : []));
            metadata[$"sha256 {tensor.Name}"] = hash;
            all.Append(CultureInfo.InvariantCulture, $"\0{tensor.Name}\0{tensor.Type}\0{string.Join(',', tensor.Shape)}\0{tensor.Begin}\0{tensor.End}\0{hash}");
        }

        metadata["sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
        var header = new Dictionary<string, object> { ["__metadata__"] = metadata };
        foreach (var tensor in tensors)
            header[tensor.Name] = new Dictionary<string, object> { ["dtype"] = tensor.Type, ["shape"] = tensor.Shape, ["data_offsets"] = new[] { tensor.Begin, tensor.End } };
        var bytes = JsonSerializer.SerializeToUtf8Bytes(header);
        return [.. BitConverter.GetBytes((long)bytes.Length), .. bytes, .. values];
    }

    private sealed record Forged(string Name, string Type, long[] Shape, long Begin, long End);
}
