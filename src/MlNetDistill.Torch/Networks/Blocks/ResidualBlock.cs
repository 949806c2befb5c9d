using MlNetDistill.Core;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Networks;

/// <summary>
/// The basic residual block (He et al. 2016): relu(bn(conv(relu(bn(conv x)))) + shortcut x), where the shortcut is the identity, or a 1×1
/// convolution with batch normalization where the shape changes.
/// </summary>
public sealed class ResidualBlock : Block
{
    private readonly Convolution _conv1;
    private readonly BatchNormalization _bn1;
    private readonly Convolution _conv2;
    private readonly BatchNormalization _bn2;
    private readonly Convolution? _shortcut;
    private readonly BatchNormalization? _shortcutBn;

    /// <summary>A block from <paramref name="inputs"/> to <paramref name="outputs"/> channels.</summary>
    public ResidualBlock(int inputs, int outputs, int stride, Generator generator)
    {
        _conv1 = new Convolution(inputs, outputs, 3, stride, generator);
        _bn1 = new BatchNormalization(outputs);
        _conv2 = new Convolution(outputs, outputs, 3, 1, generator);
        _bn2 = new BatchNormalization(outputs);
        if (stride != 1 || inputs != outputs)
        {
            _shortcut = new Convolution(inputs, outputs, 1, stride, generator);
            _shortcutBn = new BatchNormalization(outputs);
        }

        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        // A scope for each block gives the activations back as early as Python's reference counts would.
        using var scope = NewDisposeScope();
        var inner = functional.relu(_bn1.forward(_conv1.forward(input)));
        var outer = _bn2.forward(_conv2.forward(inner));
        var shortcut = _shortcut is null ? input : _shortcutBn!.forward(_shortcut.forward(input));
        return functional.relu(outer.Add(shortcut)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input)
    {
        var inner = graph.Add("Relu", [_bn1.Emit(graph, _conv1.Emit(graph, input))]);
        var outer = _bn2.Emit(graph, _conv2.Emit(graph, inner));
        var shortcut = _shortcut is null ? input : _shortcutBn!.Emit(graph, _shortcut.Emit(graph, input));
        return graph.Add("Relu", [graph.Add("Add", [outer, shortcut])]);
    }
}
