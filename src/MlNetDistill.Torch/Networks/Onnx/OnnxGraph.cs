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
        var output = $"{Prefix}t{_nodes.Count}_{operation}";
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
        return Add(new OnnxConstant($"{Prefix}c{_constants.Count}", value.shape, flat.data<float>().ToArray(), null));
    }

    /// <summary>Adds a one-dimensional integer constant, a shape for example.</summary>
    /// <returns>Name of the constant.</returns>
    public string Constant(long[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Add(new OnnxConstant($"{Prefix}c{_constants.Count}", [value.Length], null, value));
    }

    /// <summary>Renames the output of a node, also in the nodes that read it.</summary>
    internal void Rename(string output, string name)
    {
        string New(string old) => old == output ? name : old;
        for (var i = 0; i < _nodes.Count; i++)
            _nodes[i] = _nodes[i] with { Inputs = [.. _nodes[i].Inputs.Select(New)], Output = New(_nodes[i].Output) };
    }

    private string Add(OnnxConstant constant)
    {
        _constants.Add(constant);
        return constant.Name;
    }
}

internal sealed record OnnxNode(string Operation, string[] Inputs, string Output, (string Name, object Value)[] Attributes);

internal sealed record OnnxConstant(string Name, long[] Shape, float[]? Floats, long[]? Integers);
