using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>The first step of every network: bytes become floats, rows become images, values are standardized: x·(1/σ) - μ/σ.</summary>
internal sealed class InputBlock : Block
{
    private readonly NetworkInput _input;
    private readonly Tensor? _scale;
    private readonly Tensor? _shift;

    public InputBlock(NetworkInput input)
    {
        _input = input;
        if (input.Scaling is { } scaling)
        {
            using var scope = NewDisposeScope();
            var shape = ParameterShape(scaling.Mean.Count);
            _scale = tensor(scaling.Deviation.Select(d => 1 / d).ToArray(), device: CPU).reshape(shape).DetachFromDisposeScope();
            _shift = tensor(scaling.Mean.Zip(scaling.Deviation, (m, d) => -m / d).ToArray(), device: CPU).reshape(shape).DetachFromDisposeScope();
        }

        RegisterComponents();
    }

    /// <summary>Whether the block and its exported form leave rows of the network's shape and type unchanged.</summary>
    public bool IsIdentity => !_input.IsByte && _scale is null && !IsRearranged;

    private bool IsRearranged => _input.IsInterleaved && _input.Shape.IsImage;

    public override Tensor forward(Tensor input)
    {
        if (_scale is null)
            return input.to(float32);
        using var scope = NewDisposeScope();
        return input.to(_scale.dtype).mul(_scale).AddInPlace(_shift!).MoveToOuterDisposeScope();
    }

    public override string Emit(OnnxGraph graph, string input)
    {
        const long Float = 1; // TensorProto.DataType.FLOAT
        var value = _input.IsByte ? graph.Add("Cast", [input], ("to", Float)) : input;
        if (IsRearranged)
            value = EmitChannelsFirst(graph, value);
        else if (_input.Shape.IsImage)
            value = graph.Add("Reshape", [value, graph.Constant([-1, .. _input.Shape.Dimensions])]);
        if (_scale is null)
            return value;
        value = graph.Add("Mul", [value, graph.Constant(_scale)]);
        return graph.Add("Add", [value, graph.Constant(_shift!)]);
    }

    private string EmitChannelsFirst(OnnxGraph graph, string interleaved)
    {
        var pixels = graph.Add("Reshape", [interleaved, graph.Constant([-1, _input.Shape.Height, _input.Shape.Width, _input.Shape.Channels])]);
        return graph.Add("Transpose", [pixels], ("perm", (long[])[0, 3, 1, 2]));
    }

    private long[] ParameterShape(int count) =>
        count == 1 ? [1]
        : _input.Shape.IsImage && count == _input.Shape.Channels ? [count, 1, 1]
        : !_input.Shape.IsImage && count == _input.Shape.Length ? [count]
        : throw new ArgumentException($"The input scaling has {count} values; an input of {_input.Shape} takes 1 or {_input.Shape.Channels}.");
}
