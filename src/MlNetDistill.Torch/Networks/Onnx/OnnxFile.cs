using Google.Protobuf;

namespace MlNetDistill.Networks;

/// <summary>A named tensor at the edge of a graph. A dimension below 0 is free (the batch); without a shape, ONNX Runtime infers it.</summary>
internal sealed record OnnxTensorInfo(string Name, OnnxType Type, long[]? Shape = null);

/// <summary>Element types of ONNX's TensorProto.DataType that are used here.</summary>
internal enum OnnxType
{
    Float = 1,
    UInt8 = 2,
    Int32 = 6,
    Int64 = 7,
    Float16 = 10,
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
        WriteVarint(model, 1, IrVersion);
        WriteString(model, 2, "MlNetDistill");
        WriteNested(model, 7, g => WriteGraph(g, graph, name, input, outputs));
        WriteNested(model, 8, opset => WriteVarint(opset, 2, Opset));
    });

    private static void WriteGraph(CodedOutputStream o, OnnxGraph graph, string name, OnnxTensorInfo input, OnnxTensorInfo[] outputs)
    {
        // ML.NET parses the initializers of a model, and throws for those of 16-bit floats. A Constant node is the same to ONNX Runtime.
        var halves = graph.Constants.Where(constant => constant.Type == OnnxType.Float16).ToList();
        foreach (var constant in halves)
            WriteNested(o, 1, n => WriteConstantNode(n, constant));
        foreach (var node in graph.Nodes)
            WriteNested(o, 1, n => WriteNode(n, node));
        WriteString(o, 2, name);
        foreach (var constant in graph.Constants.Except(halves))
            WriteNested(o, 5, t => WriteConstant(t, constant));
        WriteNested(o, 11, v => WriteValueInfo(v, input));
        foreach (var output in outputs)
            WriteNested(o, 12, v => WriteValueInfo(v, output));
    }

    private static void WriteNode(CodedOutputStream o, OnnxNode node)
    {
        foreach (var input in node.Inputs)
            WriteString(o, 1, input);
        WriteString(o, 2, node.Output);
        WriteString(o, 3, node.Output);
        WriteString(o, 4, node.Operation);
        foreach (var (name, value) in node.Attributes)
            WriteNested(o, 5, a => WriteAttribute(a, name, value));
    }

    private static void WriteConstantNode(CodedOutputStream o, OnnxConstant constant)
    {
        const int Tensor = 4; // AttributeProto.AttributeType
        WriteString(o, 2, constant.Name);
        WriteString(o, 3, constant.Name);
        WriteString(o, 4, "Constant");
        WriteNested(o, 5, attribute =>
        {
            WriteString(attribute, 1, "value");
            WriteNested(attribute, 5, t => WriteConstant(t, constant));
            WriteVarint(attribute, 20, Tensor);
        });
    }

    private static void WriteAttribute(CodedOutputStream o, string name, object value)
    {
        const int Float = 1, Int = 2, Ints = 7; // AttributeProto.AttributeType
        WriteString(o, 1, name);
        switch (value)
        {
            case float number:
                o.WriteTag(2, WireFormat.WireType.Fixed32);
                o.WriteFloat(number);
                WriteVarint(o, 20, Float);
                break;
            case long number:
                WriteVarint(o, 3, number);
                WriteVarint(o, 20, Int);
                break;
            case long[] numbers:
                foreach (var number in numbers)
                    WriteVarint(o, 8, number);
                WriteVarint(o, 20, Ints);
                break;
            default:
                throw new NotSupportedException($"ONNX attribute '{name}' is a {value.GetType().Name}; only long, float and long[] are written.");
        }
    }

    private static void WriteConstant(CodedOutputStream o, OnnxConstant constant)
    {
        foreach (var dimension in constant.Shape)
            WriteVarint(o, 1, dimension);
        WriteVarint(o, 2, (long)constant.Type);
        WriteString(o, 8, constant.Name);
        o.WriteTag(9, WireFormat.WireType.LengthDelimited);
        // raw_data is little-endian by definition, as is every machine .NET runs ML.NET on.
        o.WriteBytes(UnsafeByteOperations.UnsafeWrap(constant.Data));
    }

    private static void WriteValueInfo(CodedOutputStream o, OnnxTensorInfo info)
    {
        WriteString(o, 1, info.Name);
        WriteNested(o, 2, type => WriteNested(type, 1, tensor =>
        {
            WriteVarint(tensor, 1, (long)info.Type);
            if (info.Shape is not { } dimensions)
                return;
            WriteNested(tensor, 2, shape =>
            {
                foreach (var dimension in dimensions)
                    WriteNested(shape, 1, d =>
                    {
                        if (dimension < 0)
                            WriteString(d, 2, "batch");
                        else
                            WriteVarint(d, 1, dimension);
                    });
            });
        }));
    }

    private static void WriteVarint(CodedOutputStream o, int field, long value)
    {
        o.WriteTag(field, WireFormat.WireType.Varint);
        o.WriteInt64(value);
    }

    private static void WriteString(CodedOutputStream o, int field, string value)
    {
        o.WriteTag(field, WireFormat.WireType.LengthDelimited);
        o.WriteString(value);
    }

    private static void WriteNested(CodedOutputStream o, int field, Action<CodedOutputStream> write)
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
