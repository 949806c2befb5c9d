using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The file of named tensors is a safetensors file, and what is wrong with one is named.</summary>
public sealed class TensorFileTests
{
    private static readonly (string Name, ScalarType Type, int Bytes)[] Types =
    [
        ("BOOL", ScalarType.Bool, 1), ("U8", ScalarType.Byte, 1), ("I8", ScalarType.Int8, 1), ("I16", ScalarType.Int16, 2), ("I32", ScalarType.Int32, 4),
        ("I64", ScalarType.Int64, 8), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2), ("F32", ScalarType.Float32, 4), ("F64", ScalarType.Float64, 8),
    ];

    [Test]
    public void Every_type_has_its_name_of_the_format_and_is_read_as_it_was_written()
    {
        using var scope = NewDisposeScope();
        var given = Types.ToDictionary(t => t.Name, t => tensor(new[,] { { 1.0, 0 }, { 2, 1 }, { 0, 3 } }).to(t.Type));
        var file = Write(given);
        foreach (var (name, _, bytes) in Types)
        {
            var entry = Header(file).GetProperty(name);
            Assert.That(entry.GetProperty("dtype").GetString(), Is.EqualTo(name));
            Assert.That(entry.GetProperty("shape").EnumerateArray().Select(n => n.GetInt64()), Is.EqualTo(new long[] { 3, 2 }));
            Assert.That(Offsets(entry).End - Offsets(entry).Begin, Is.EqualTo(6 * bytes), name);
        }

        var (read, text) = TensorFile.Read(new MemoryStream(file));
        Assert.That((read.Count, text), Is.EqualTo((Types.Length, "the text")));
        foreach (var (name, type, _) in Types)
        {
            Assert.That((read[name].dtype, read[name].shape), Is.EqualTo((type, new long[] { 3, 2 })));
            Assert.That(Near.Values(read[name].to(float64)), Is.EqualTo(Near.Values(given[name].to(float64))), name);
            read[name].Dispose();
        }
    }

    [Test]
    public void Tensors_are_aligned_to_their_elements_and_without_gaps_by_size_and_name()
    {
        using var scope = NewDisposeScope();
        var given = new Dictionary<string, Tensor>
        {
            ["b"] = ones(3, uint8),
            ["a"] = ones(5, uint8),
            ["z"] = ones(1, float64),
            ["scalar"] = tensor(7f),
            ["none"] = zeros([2, 0, 3], float32),
        };
        // The length of the text moves the end of the header.
        foreach (var text in Enumerable.Range(0, 9).Select(length => new string('x', length)))
        {
            var file = Write(given, text);
            Assert.That(HeaderLength(file) % 8, Is.EqualTo(0));
            var entries = Header(file).EnumerateObject().Skip(1).ToDictionary(e => e.Name, e => Offsets(e.Value));
            Assert.That(entries, Is.EqualTo(new Dictionary<string, (long, long)>
            {
                ["z"] = (0, 8),
                ["none"] = (8, 8),
                ["scalar"] = (8, 12),
                ["a"] = (12, 17),
                ["b"] = (17, 20),
            }));
            Assert.That(file, Has.Length.EqualTo(8 + HeaderLength(file) + 20));
            Assert.That(BitConverter.ToSingle(file, file.Length - 12), Is.EqualTo(7));
        }
    }

    [Test]
    public void A_view_that_is_not_contiguous_is_written_by_its_values()
    {
        using var scope = NewDisposeScope();
        var file = Write(new() { ["turned"] = tensor(new[,] { { 1f, 2, 3 }, { 4, 5, 6 } }).t().requires_grad_() });
        var (read, _) = TensorFile.Read(new MemoryStream(file));
        Assert.That(read["turned"].shape, Is.EqualTo(new long[] { 3, 2 }));
        Assert.That(Near.Values(read["turned"]), Is.EqualTo(new double[] { 1, 4, 2, 5, 3, 6 }));
        read["turned"].Dispose();
    }

    // Tensors are hashed, written and read in parts of 4 Mi elements.
    [TestCase(-1)]
    [TestCase(0)]
    [TestCase(3)]
    public void A_tensor_of_several_parts_is_read_whole(int more)
    {
        using var scope = NewDisposeScope();
        var given = arange((1 << 22) + more).remainder(251).to(uint8);
        var (read, _) = TensorFile.Read(new MemoryStream(Write(new() { ["long"] = given })));
        Assert.That(read["long"].equal(given).all().item<bool>(), Is.True);
        read["long"].Dispose();
    }

    [Test]
    public void Names_are_written_as_they_are()
    {
        using var scope = NewDisposeScope();
        var file = Write(new() { ["<größe+1>"] = ones(1) });
        Assert.That(Encoding.UTF8.GetString(file), Does.Contain("\"<größe+1>\":{"));
    }

    [Test]
    public void Reading_begins_where_the_stream_is_and_leaves_it_open()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream([9, 9, 9, .. Write(new() { ["a"] = tensor(5f) })]);
        stream.Position = 3;
        var (read, _) = TensorFile.Read(stream);
        Assert.That(read["a"].item<float>(), Is.EqualTo(5));
        Assert.That((stream.CanRead, stream.Position), Is.EqualTo((true, stream.Length)));
        read["a"].Dispose();
    }

    [Test]
    public void A_damaged_tensor_leaves_none_of_those_before_it()
    {
        byte[] file;
        using (NewDisposeScope())
            file = Write(new() { ["a"] = ones(4), ["b"] = ones(4) });
        file[^1] ^= 1;
        var before = Tensor.TotalCount;
        Refused("the tensor 'b' does not match its SHA-256", file);
        Assert.That(Tensor.TotalCount, Is.EqualTo(before));
    }

    [Test]
    public void A_stream_that_cannot_seek_is_refused() => Assert.That(
        () => TensorFile.Read(new Forward()),
        Throws.ArgumentException.With.Property("ParamName").EqualTo("stream").And.Message.StartsWith("The stream must be able to seek"));

    [TestCase(0)]
    [TestCase(7)]
    public void A_file_without_the_length_of_its_header_is_refused(int length) => Refused("it ends within its first 8 bytes", new byte[length]);

    [TestCase(-1, 2)]
    [TestCase(0, 2)]
    [TestCase(1, 2)]
    [TestCase(3, 2)]
    [TestCase(100_000_001, 2)]
    public void A_length_that_no_header_of_the_file_has_is_refused(long length, int bytes) =>
        Refused(Invariant($"its header cannot be {length} bytes long"), [.. BitConverter.GetBytes(length), .. new byte[bytes]]);

    [TestCase("{}", "its header is damaged: ")]
    [TestCase("[]", "its header is damaged: ")]
    [TestCase("{ ", "its header is damaged: ")]
    [TestCase("""{"__metadata__":{"version":null}}""", "its header is damaged: version is null")]
    [TestCase("""{"__metadata__":{"version":"1","version":"1"}}""", "its header is damaged: ")]
    [TestCase("""{"__metadata__":{"version":"0"}}""", "it is of version '0', and this library reads version 1")]
    [TestCase("""{"__metadata__":{"version":"1"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "its header is damaged: ")]
    [TestCase("""{"__metadata__":{"version":"1","sha256 a":""},"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", "its header is damaged: the tensor 'a' does not have two offsets")]
    [TestCase("""{"__metadata__":{"version":"1","sha256 a":""},"a":{"dtype":"U8","shape":[0.5],"data_offsets":[0,1]}}""", "its header is damaged: ")]
    [TestCase("""{"__metadata__":{"version":"1","state":"{}","sha256":"00"}}""", "its header does not match its SHA-256")]
    public void A_header_that_this_version_does_not_write_is_refused(string header, string fault)
    {
        var bytes = Encoding.UTF8.GetBytes(header);
        Refused(fault, [.. BitConverter.GetBytes((long)bytes.Length), .. bytes]);
    }

    [TestCase("type", "X8", "has the unknown type X8")]
    [TestCase("shape", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4", "has 17 dimensions, and may have 16")]
    [TestCase("shape", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4", null)]
    [TestCase("shape", "-4", "has the impossible shape [-4]")]
    [TestCase("shape", "-2,-2", "has the impossible shape [-2, -2]")]
    [TestCase("shape", "0,9223372036854775807", "has the impossible shape [0, 9223372036854775807]", "F16")]
    [TestCase("shape", "3", "has the bytes 10 to 14 of 14, but its shape [3] needs 3 bytes from byte 10 on")]
    [TestCase("shape", "2", "has the bytes 10 to 14 of 14, but its shape [2] needs 8 bytes from byte 10 on", "F32")]
    [TestCase("shape", "2", null, "F16")]
    [TestCase("begin", "9", "has the bytes 9 to 14 of 14, but its shape [5] needs 5 bytes from byte 10 on")]
    [TestCase("begin", "11", "has the bytes 11 to 14 of 14, but its shape [3] needs 3 bytes from byte 10 on")]
    [TestCase("end", "15", "has the bytes 10 to 15 of 14, but its shape [5] needs 5 bytes from byte 10 on")]
    [TestCase("end", "14", null)]
    [TestCase("end", "10", null)]
    public void The_fault_of_an_entry_is_found(string part, string value, string? fault, string type = "U8")
    {
        var (begin, end) = (part == "begin" ? Number(value) : 10, part == "end" ? Number(value) : 14);
        long[] shape = part == "shape" ? [.. value.Split(',').Select(Number)] : [end - begin];
        Assert.That(new TensorEntry("a", part == "type" ? value : type, shape, begin, end, "").FindFault(expectedBegin: 10, fileBytes: 14), Is.EqualTo(fault));
    }

    [Test]
    public void Bytes_after_the_last_tensor_are_refused()
    {
        using var scope = NewDisposeScope();
        Refused("its tensors take 4 bytes, and there are 5", [.. Write(new() { ["a"] = ones(1) }), 0]);
    }

    private static void Refused(string fault, byte[] file) => Assert.That(
        () => TensorFile.Read(new MemoryStream(file)),
        Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"The file of a training state cannot be read: {fault}").And.Message.EndsWith(
            ". Give the file as it was written by this version, or train from the beginning."));

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static byte[] Write(Dictionary<string, Tensor> tensors, string text = "the text")
    {
        using var stream = new MemoryStream();
        TensorFile.Write(stream, tensors, text);
        return stream.ToArray();
    }

    private static int HeaderLength(byte[] file) => (int)BinaryPrimitives.ReadInt64LittleEndian(file);

    private static JsonElement Header(byte[] file) => JsonDocument.Parse(file.AsMemory(8, HeaderLength(file))).RootElement;

    private static (long Begin, long End) Offsets(JsonElement entry) => (entry.GetProperty("data_offsets")[0].GetInt64(), entry.GetProperty("data_offsets")[1].GetInt64());

    private sealed class Forward : MemoryStream
    {
        public override bool CanSeek => false;
    }
}
