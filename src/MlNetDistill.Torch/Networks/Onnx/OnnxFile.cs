using System.Runtime.InteropServices;
using Google.Protobuf;

namespace MlNetDistill.Networks;

/// <summary>A named tensor at the edge of a graph. A dimension below 0 is free (the batch).</summary>
internal sealed record OnnxTensorInfo(string Name, OnnxType Type, long[] Shape);

/// <summary>Element types of ONNX's TensorProto.DataType that are used here.</summary>
internal enum OnnxType
{
    Float = 1,
    UInt8 = 2,
    Int64 = 7,
}

/// <summary>
/// Writes graphs in the ONNX file format: the protocol-buffer messages of onnx.proto (ModelProto and below), field numbers as there, IR
/// version 7 and opset 13, which every ONNX Runtime since 1.8 reads.
/// </summary>
internal static class OnnxFile
{
    private const int IrVersion = 7;
    private const int Opset = 13;

    public static byte[] Write(OnnxGraph graph, string name, OnnxTensorInfo input, params OnnxTensorInfo[] outputs) => Message(model =>
    {
        Varint(model, 1, IrVersion);
        String(model, 2, "MlNetDistill");
        Nested(model, 7, g => Graph(g, graph, name, input, outputs));
        Nested(model, 8, opset => Varint(opset, 2, Opset));
    });

    private static void Graph(CodedOutputStream o, OnnxGraph graph, string name, OnnxTensorInfo input, OnnxTensorInfo[] outputs)
    {
        foreach (var node in graph.Nodes)
            Nested(o, 1, n => Node(n, node));
        String(o, 2, name);
        foreach (var constant in graph.Constants)
            Nested(o, 5, t => Constant(t, constant));
        Nested(o, 11, v => ValueInfo(v, input));
        foreach (var output in outputs)
            Nested(o, 12, v => ValueInfo(v, output));
    }

    private static void Node(CodedOutputStream o, OnnxNode node)
    {
        foreach (var input in node.Inputs)
            String(o, 1, input);
        String(o, 2, node.Output);
        String(o, 3, node.Output);
        String(o, 4, node.Operation);
        foreach (var (name, value) in node.Attributes)
            Nested(o, 5, a => Attribute(a, name, value));
    }

    private static void Attribute(CodedOutputStream o, string name, object value)
    {
        const int Float = 1, Int = 2, Ints = 7; // AttributeProto.AttributeType
        String(o, 1, name);
        switch (value)
        {
            case float number:
                o.WriteTag(2, WireFormat.WireType.Fixed32);
                o.WriteFloat(number);
                Varint(o, 20, Float);
                break;
            case long number:
                Varint(o, 3, number);
                Varint(o, 20, Int);
                break;
            case long[] numbers:
                foreach (var number in numbers)
                    Varint(o, 8, number);
                Varint(o, 20, Ints);
                break;
            default:
                throw new NotSupportedException($"ONNX attribute '{name}' is a {value.GetType().Name}; only long, float and long[] are written.");
        }
    }

    private static void Constant(CodedOutputStream o, OnnxConstant constant)
    {
        foreach (var dimension in constant.Shape)
            Varint(o, 1, dimension);
        Varint(o, 2, (long)(constant.Floats is null ? OnnxType.Int64 : OnnxType.Float));
        String(o, 8, constant.Name);
        o.WriteTag(9, WireFormat.WireType.LengthDelimited);
        // raw_data is little-endian by definition, as is every machine .NET runs ML.NET on.
        o.WriteBytes(UnsafeByteOperations.UnsafeWrap(constant.Floats is { } floats
            ? MemoryMarshal.AsBytes(floats.AsSpan()).ToArray()
            : MemoryMarshal.AsBytes(constant.Integers.AsSpan()).ToArray()));
    }

    private static void ValueInfo(CodedOutputStream o, OnnxTensorInfo info)
    {
        String(o, 1, info.Name);
        Nested(o, 2, type => Nested(type, 1, tensor =>
        {
            Varint(tensor, 1, (long)info.Type);
            Nested(tensor, 2, shape =>
            {
                foreach (var dimension in info.Shape)
                    Nested(shape, 1, d =>
                    {
                        if (dimension < 0)
                            String(d, 2, "batch");
                        else
                            Varint(d, 1, dimension);
                    });
            });
        }));
    }

    private static void Varint(CodedOutputStream o, int field, long value)
    {
        o.WriteTag(field, WireFormat.WireType.Varint);
        o.WriteInt64(value);
    }

    private static void String(CodedOutputStream o, int field, string value)
    {
        o.WriteTag(field, WireFormat.WireType.LengthDelimited);
        o.WriteString(value);
    }

    private static void Nested(CodedOutputStream o, int field, Action<CodedOutputStream> write)
    {
        o.WriteTag(field, WireFormat.WireType.LengthDelimited);
        o.WriteBytes(UnsafeByteOperations.UnsafeWrap(Message(write)));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using var output = new CodedOutputStream(buffer, leaveOpen: true);
        write(output);
        output.Flush();
        return buffer.ToArray();
    }
}
