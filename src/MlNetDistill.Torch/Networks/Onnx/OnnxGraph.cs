using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// An ONNX graph under construction: nodes in order and their constants. Operators are those of the default domain at opset 13.
/// </summary>
public sealed class OnnxGraph
{
    // The user names inputs and outputs, and could name a column c0: a prefix keeps the internal names distinct.
    private const string Prefix = "__student/";

    private readonly List<OnnxNode> _nodes = [];
    private readonly List<OnnxConstant> _constants = [];
    private int _addedNodes;
    private int _addedConstants;

    internal IReadOnlyList<OnnxNode> Nodes => _nodes;

    internal IReadOnlyList<OnnxConstant> Constants => _constants;

    /// <summary>Adds a node with one output.</summary>
    /// <param name="operation">The ONNX operator, for example <c>Relu</c>.</param>
    /// <param name="inputs">Names of the tensors it reads.</param>
    /// <param name="attributes">Attributes: <see cref="long"/>, <see cref="float"/> or <see cref="long"/> array values.</param>
    /// <returns>Name of the tensor it writes.</returns>
    public string Add(string operation, string[] inputs, params (string Name, object Value)[] attributes)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(attributes);
        var output = $"{Prefix}t{_addedNodes++}_{operation}";
        _nodes.Add(new OnnxNode(operation, inputs, output, attributes));
        return output;
    }

    /// <summary>Adds a constant with the values of <paramref name="value"/> as 32-bit floats.</summary>
    /// <returns>Name of the constant.</returns>
    public string Constant(Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        using var scope = NewDisposeScope();
        var flat = value.detach().to(float32).cpu().contiguous();
        return Constant(OnnxType.Float, value.shape, flat.data<float>().ToArray());
    }

    /// <summary>Adds a one-dimensional integer constant, a shape for example.</summary>
    /// <returns>Name of the constant.</returns>
    public string Constant(long[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Constant(OnnxType.Int64, [value.Length], value);
    }

    /// <summary>Adds a constant of any type.</summary>
    /// <param name="type">The type in ONNX.</param>
    /// <param name="shape">Its shape; empty for a number without dimensions.</param>
    /// <param name="values">Its values, in the type's own .NET type.</param>
    internal string Constant<T>(OnnxType type, long[] shape, T[] values)
        where T : unmanaged
    {
        var constant = new OnnxConstant($"{Prefix}c{_addedConstants++}", shape, type, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        _constants.Add(constant);
        return constant.Name;
    }

    /// <summary>The constant of a name; null where the tensor is computed.</summary>
    internal OnnxConstant? FindConstant(string name) => _constants.Find(constant => constant.Name == name);

    /// <summary>Replaces the nodes, in their new order, and leaves out the constants that none of them reads.</summary>
    internal void Replace(IReadOnlyList<OnnxNode> nodes)
    {
        _nodes.Clear();
        _nodes.AddRange(nodes);
        var read = nodes.SelectMany(node => node.Inputs).ToHashSet();
        _constants.RemoveAll(constant => !read.Contains(constant.Name));
    }

    /// <summary>Creates a node of a pass over the graph, which decides where it goes.</summary>
    internal OnnxNode CreateNode(string operation, string[] inputs, params (string Name, object Value)[] attributes) =>
        new(operation, inputs, $"{Prefix}t{_addedNodes++}_{operation}", attributes);

    /// <summary>Renames the output of a node, also in the nodes that read it.</summary>
    internal void Rename(string output, string name)
    {
        string New(string old) => old == output ? name : old;
        for (var i = 0; i < _nodes.Count; i++)
            _nodes[i] = _nodes[i] with { Inputs = [.. _nodes[i].Inputs.Select(New)], Output = New(_nodes[i].Output) };
    }
}

internal sealed record OnnxNode(string Operation, string[] Inputs, string Output, (string Name, object Value)[] Attributes)
{
    /// <summary>An attribute's value, or the operator's default where it is not set.</summary>
    public T Attribute<T>(string name, T otherwise) => Attributes.FirstOrDefault(attribute => attribute.Name == name).Value is T value ? value : otherwise;
}

/// <param name="Name">Name of the tensor.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Type">Its type.</param>
/// <param name="Data">Its values, little-endian.</param>
internal sealed record OnnxConstant(string Name, long[] Shape, OnnxType Type, byte[] Data)
{
    /// <summary>The values of a constant of floats.</summary>
    public ReadOnlySpan<float> Floats => MemoryMarshal.Cast<byte, float>(Data);
}
