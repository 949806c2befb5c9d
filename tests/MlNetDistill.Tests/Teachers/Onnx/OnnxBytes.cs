using System.Runtime.InteropServices;
using System.Text;

namespace MlNetDistill.Tests.Teachers.Onnx;

/// <summary>
/// Small ONNX files, written message by message (field numbers of onnx.proto), right ones and wrong ones: what exporters write that ours does not.
/// </summary>
internal sealed class OnnxBytes
{
    public const int Float = 1, UInt8 = 2, Int64 = 7, Bool = 9, Half = 10, Double = 11;

    private readonly List<byte[]> _graph = [];

    public int IrVersion { get; init; } = 7;

    public int Opset { get; init; } = 13;

    public string? Domain { get; init; }

    /// <summary>rows × weights: a model of <paramref name="inputs"/> values and <paramref name="outputs"/> scores; weight (i, j) is (i · outputs + j) / 10.</summary>
    public static OnnxBytes Linear(int inputs = 4, int outputs = 3, int type = Float, object? batch = null, string output = "logits") => new OnnxBytes()
        .Weights("w", type, [inputs, outputs])
        .Node("MatMul", ["x", "w"], [output])
        .Input("x", type, batch ?? "N", inputs)
        .Output(output, type, batch ?? "N", outputs);

    public OnnxBytes Node(string operation, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes) => Node("", operation, inputs, outputs, attributes);

    public OnnxBytes Node(string domain, string operation, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes) => Add(1,
    [
        .. inputs.SelectMany(i => Field(1, i)), .. outputs.SelectMany(o => Field(2, o)), .. Field(4, operation),
        .. attributes.SelectMany(a => Field(5, Attribute(a.Name, a.Value))), .. domain == "" ? [] : Field(7, domain),
    ]);

    public OnnxBytes Input(string name, int type, params object[] dimensions) => Add(11, Value(name, TensorType(type, dimensions)));

    public OnnxBytes Output(string name, int type, params object[] dimensions) => Add(12, Value(name, TensorType(type, dimensions)));

    /// <summary>A sequence of maps from a class number to its probability, as scikit-learn's exporter gives.</summary>
    public OnnxBytes MapOutput(string name) => Add(12, Value(name, Field(4, Field(1, Field(5, [.. Field(1, Int64), .. Field(2, TensorType(Float, []))])))));

    public OnnxBytes Weights(string name, int type, int[] shape)
    {
        var numbers = Numbers(shape);
        var raw = type switch
        {
            Half => MemoryMarshal.AsBytes(numbers.Select(n => (Half)n).ToArray().AsSpan()).ToArray(),
            Double => MemoryMarshal.AsBytes(numbers.Select(n => (double)n).ToArray().AsSpan()).ToArray(),
            _ => MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray(),
        };
        return Add(5, [.. shape.SelectMany(d => Field(1, d)), .. Field(2, type), .. Field(8, name), .. Field(9, raw)]);
    }

    public OnnxBytes Integers(string name, params long[] values) =>
        Add(5, [.. Field(1, values.Length), .. Field(2, Int64), .. Field(8, name), .. Field(9, MemoryMarshal.AsBytes(values.AsSpan()).ToArray())]);

    /// <summary>A number without dimensions.</summary>
    public OnnxBytes Integer(string name, long value) => Add(5, [.. Field(2, Int64), .. Field(8, name), .. Field(9, BitConverter.GetBytes(value))]);

    /// <summary>Weights that are in another file.</summary>
    public OnnxBytes ExternalWeights(string name, int[] shape, string location) => Add(5,
    [
        .. shape.SelectMany(d => Field(1, d)), .. Field(2, Float), .. Field(8, name), .. Field(13, [.. Field(1, "location"), .. Field(2, location)]), .. Field(14, 1),
    ]);

    public static float[] Numbers(int[] shape) => [.. Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(i => i / 10f)];

    public byte[] Write() =>
    [
        .. Field(1, IrVersion), .. Field(2, "test"), .. Field(7, Graph()),
        .. Field(8, Field(2, Opset)), .. Domain is null ? [] : Field(8, [.. Field(1, Domain), .. Field(2, 1)]),
    ];

    private byte[] Graph() => [.. _graph.SelectMany(g => g), .. Field(2, "graph")];

    private static byte[] Value(string name, byte[] type) => [.. Field(1, name), .. Field(2, type)];

    private static byte[] TensorType(int type, object[] dimensions) =>
        Field(1, [.. Field(1, type), .. Field(2, [.. dimensions.SelectMany(d => Field(1, d is int size ? Field(1, size) : Field(2, (string)d)))])]);

    private static byte[] Attribute(string name, object value) => value switch
    {
        int number => [.. Field(1, name), .. Field(3, number), .. Field(20, 2)],
        int[] numbers => [.. Field(1, name), .. numbers.SelectMany(n => Field(8, n)), .. Field(20, 7)],
        OnnxBytes graph => [.. Field(1, name), .. Field(6, graph.Graph()), .. Field(20, 5)],
        _ => throw new ArgumentException($"No attribute of {value.GetType()}."),
    };

    public static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    public static byte[] Field(int number, byte[] content) => [.. Varint((number << 3) | 2), .. Varint(content.Length), .. content];

    private static byte[] Field(int number, int value) => [.. Varint(number << 3), .. Varint(value)];

    private static byte[] Varint(int value)
    {
        List<byte> bytes = [];
        for (var rest = (uint)value; ; rest >>= 7)
        {
            bytes.Add((byte)(rest > 0x7F ? (rest & 0x7F) | 0x80 : rest));
            if (rest <= 0x7F)
                return [.. bytes];
        }
    }

    private OnnxBytes Add(int field, byte[] content)
    {
        _graph.Add(Field(field, content));
        return this;
    }
}
